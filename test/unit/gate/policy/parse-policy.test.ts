import { expect, test } from 'vitest'
import { defaultPolicy, formatProblem, parsePolicy } from '#lib/gate/policy/index.ts'

function problemsOf(document: unknown): readonly string[] {
  const parsed = parsePolicy(typeof document === 'string' ? document : JSON.stringify(document))
  return parsed.ok ? [] : parsed.problems.map(formatProblem)
}

test('an empty file has every default of the public reference', () => {
  expect(parsePolicy('{}')).toEqual({
    ok: true,
    policy: {
      require_approval_for_risks: ['HIGH', 'IMPACT_CRITICAL', 'CRITICAL'],
      block_operations: ['DROP DATABASE', 'DROP SCHEMA'],
      require_recovery_for_critical: true,
      block_unknown_or_parse_failure: true,
      block_unrecoverable_operations: true,
      max_snapshot_age_seconds: 300,
      require_sidecar_heartbeat: true,
      max_sidecar_heartbeat_seconds: 120,
      require_object_checksum: false,
      require_undo_for_writes: false,
      impact_analysis_enabled: true,
      max_write_rows_without_critical: 1000,
      max_write_percent_without_critical: 50,
      protected_tables: [],
      protected_columns: {},
      unknown_impact_action: 'approve',
      recovery_groups: {},
      foreign_key_grouping_enabled: false,
      cascade_risk_requires_group_readiness: false,
      max_blocked_attempts_per_window: 3,
      quarantine_duration_seconds: 1800,
      dangerous_retry_window_seconds: 600,
      quarantine_blocks_safe_queries: false,
    },
  })
})

test('an empty list stays empty and a zero stays zero', () => {
  const parsed = parsePolicy(
    JSON.stringify({
      require_approval_for_risks: [],
      block_operations: [],
      max_snapshot_age_seconds: 0,
      max_sidecar_heartbeat_seconds: 0,
      max_write_rows_without_critical: 0,
      max_write_percent_without_critical: 0,
      max_blocked_attempts_per_window: 0,
      quarantine_duration_seconds: 0,
      dangerous_retry_window_seconds: 0,
    }),
  )
  expect(parsed).toMatchObject({
    ok: true,
    policy: {
      require_approval_for_risks: [],
      block_operations: [],
      max_snapshot_age_seconds: 0,
      max_sidecar_heartbeat_seconds: 0,
      max_write_rows_without_critical: 0,
      max_write_percent_without_critical: 0,
      max_blocked_attempts_per_window: 0,
      quarantine_duration_seconds: 0,
      dangerous_retry_window_seconds: 0,
    },
  })
})

test('levels and operations are read whatever their letter case, spacing and order', () => {
  const left = parsePolicy(
    JSON.stringify({
      require_approval_for_risks: ['critical', 'High'],
      block_operations: ['drop   table', 'Truncate'],
    }),
  )
  const right = parsePolicy(
    JSON.stringify({
      require_approval_for_risks: ['HIGH', 'CRITICAL', 'high'],
      block_operations: ['TRUNCATE', 'DROP TABLE'],
    }),
  )
  expect(left).toEqual(right)
  expect(left).toMatchObject({ policy: { block_operations: ['DROP TABLE', 'TRUNCATE'] } })
})

const REFUSED: readonly (readonly [string, unknown, readonly string[]])[] = [
  [
    'an unknown field, with the nearest name',
    { protected_table: ['users'] },
    ['protected_table: is not a field of the policy; did you mean protected_tables?'],
  ],
  ['an unknown field that is like no other', { webhook: 'x' }, ['webhook: is not a field of the policy']],
  ['a text where a list belongs', { protected_tables: 'users' }, ['protected_tables: must be a list, not a text']],
  [
    'a flat list of protected columns',
    { protected_columns: ['users.email'] },
    ['protected_columns: must be an object, not a list'],
  ],
  [
    'a number inside a list, by its path',
    { protected_columns: { users: ['email', 7] } },
    ['protected_columns.users[1]: must be a text, not a number'],
  ],
  [
    'a fraction where a whole number belongs',
    { max_write_rows_without_critical: 1.5 },
    ['max_write_rows_without_critical: must be a whole number, not a fraction'],
  ],
  ['a negative age', { max_snapshot_age_seconds: -1 }, ['max_snapshot_age_seconds: must be at least 0']],
  [
    'a quarantine beyond the calendar',
    { quarantine_duration_seconds: 1e12 },
    ['quarantine_duration_seconds: must be at most 315576000'],
  ],
  [
    'more than all of a table',
    { max_write_percent_without_critical: 101 },
    ['max_write_percent_without_critical: must be at most 100'],
  ],
  [
    'a truth value in quotes',
    { require_sidecar_heartbeat: 'true' },
    ['require_sidecar_heartbeat: must be true or false, not a text'],
  ],
  ['null for a default', { protected_tables: null }, ['protected_tables: must be a list, not null']],
  [
    'a misspelt level',
    { require_approval_for_risks: ['CRITCAL'] },
    [
      'require_approval_for_risks[0]: "CRITCAL" is not a risk level (SAFE, LOW, HIGH, IMPACT_CRITICAL, CRITICAL); did you mean CRITICAL?',
    ],
  ],
  [
    'a misspelt action',
    { unknown_impact_action: 'aprove' },
    ['unknown_impact_action: must be one of execute, approve, block; did you mean approve?'],
  ],
  [
    'an operation that would block nothing',
    { block_operations: ['DROP DATABSE', 'DELETE FROM', 'DLETE', 'DROP USER', 'CREATE UNIQUE INDEX'] },
    [
      'block_operations[0]: "DROP DATABSE" names no kind of object; did you mean DROP DATABASE?',
      'block_operations[1]: "DELETE FROM" has no kinds: write DELETE; did you mean DELETE?',
      'block_operations[2]: "DLETE" does not begin with an SQL command; did you mean DELETE?',
      'block_operations[3]: "DROP USER" goes by another name; did you mean DROP ROLE?',
      'block_operations[4]: "CREATE UNIQUE INDEX" goes by another name; did you mean CREATE INDEX?',
    ],
  ],
  [
    'a table of three parts',
    { recovery_groups: { shop: ['db.public.users'] } },
    [
      'recovery_groups.shop[0]: "db.public.users" must be a table as "name" or "schema.name"; quote parts that contain dots: "\\"a.b\\".c"',
    ],
  ],
  [
    'a protected column under no table',
    { protected_columns: { '': ['email'] } },
    ['protected_columns.: is not a table: use "name" or "schema.name"'],
  ],
  ['a list as the whole file', [], ['the policy file: must be an object, not a list']],
  [
    'a key that stands twice',
    '{"protected_tables":["users"],"protected_tables":[]}',
    ['protected_tables: stands in the file twice'],
  ],
  ['text that is no JSON', '{"protected_tables":[],\n}', ['the policy file: is not valid JSON (line 2, column 1)']],
  ['an empty file', '', ['the policy file: is not valid JSON']],
]

test.each(REFUSED)('refuses %s', (_name, document, problems) => {
  expect(problemsOf(document)).toEqual(problems)
})

test('reports every problem at once', () => {
  expect(problemsOf({ a: 1, protected_tables: 3, max_snapshot_age_seconds: -1 })).toHaveLength(3)
})

test('a key that stands twice is found in nested objects, and equal keys of different objects are no fault', () => {
  expect(problemsOf('{"protected_columns":{"users":["a"],"\\u0075sers":[]}}')).toEqual([
    'users: stands in the file twice',
  ])
  expect(problemsOf('{"protected_columns":{"a":["a"]},"recovery_groups":{"a":["a","{"]}}')).toEqual([])
})

test('the defaults are those of an empty file', () => {
  expect(parsePolicy('{}')).toEqual({ ok: true, policy: defaultPolicy() })
})
