/** The fields of the policy file: name → accepted values, default, meaning. The one source of parser, defaults and documentation. */
import { z } from 'zod'
import type { RiskLevel } from '#lib/kernel/index.ts'
import { RISK_LEVELS } from '#lib/kernel/index.ts'
import { nearestName } from './nearest-name.ts'
import { checkOperation, normalizeOperation } from './operation.ts'
import { parseTableEntry } from './table-entry.ts'

/** Ten years: longer periods are slips of the keyboard, and still fit every calendar. */
export const MAX_PERIOD_SECONDS = 315_576_000

const levelSchema = z.string().transform((text, context): RiskLevel => {
  const level = RISK_LEVELS.find((known) => known === text.trim().toUpperCase())
  if (level !== undefined) return level
  const nearest = nearestName(text.toUpperCase(), RISK_LEVELS)
  context.addIssue({
    code: 'custom',
    message: `is not a risk level (${RISK_LEVELS.join(', ')})`,
    params: { nearest },
  })
  return z.NEVER
})

const operationSchema = z.string().transform((text, context) => {
  const operation = normalizeOperation(text)
  const fault = checkOperation(operation)
  if (fault !== undefined) {
    context.addIssue({ code: 'custom', message: fault.message, params: { nearest: fault.suggestion } })
  }
  return operation
})

const tableSchema = z.string().refine((text) => parseTableEntry(text) !== undefined, {
  error: 'must be a table as "name" or "schema.name"; quote parts that contain dots: "\\"a.b\\".c"',
})

const columnSchema = z.string().min(1)
const periodSchema = z.int().min(0).max(MAX_PERIOD_SECONDS)
const unique = <T extends string>(list: readonly T[]): readonly T[] => [...new Set(list)].sort()

interface FieldSpecification {
  readonly schema: z.ZodType
  readonly type: string
  readonly meaning: string
}

export const POLICY_FIELDS = {
  require_approval_for_risks: {
    schema: z
      .array(levelSchema)
      .transform((levels): readonly RiskLevel[] => RISK_LEVELS.filter((level) => levels.includes(level)))
      .default(['HIGH', 'IMPACT_CRITICAL', 'CRITICAL']),
    type: 'list of risk levels',
    meaning:
      'Statements of these levels wait for a person. `BACKSTOP_POLICY_<LEVEL>` overrides it level by level. Letter case does not matter; an empty list asks for nobody.',
  },
  block_operations: {
    schema: z
      .array(operationSchema)
      .transform(unique<string>)
      .default(['DROP DATABASE', 'DROP SCHEMA']),
    type: 'list of operations',
    meaning:
      'Never executed, wherever they stand in a statement: a CTE, a `DO` body, an `EXPLAIN ANALYZE`, an arm of `MERGE`. An entry covers every operation that begins with its words, so `DROP` covers `DROP TABLE`.',
  },
  require_recovery_for_critical: {
    schema: z.boolean().default(true),
    type: 'boolean',
    meaning:
      'CRITICAL and IMPACT_CRITICAL statements that lose or overwrite rows need a recovery point of every such table, also where the level is set to execute.',
  },
  block_unknown_or_parse_failure: {
    schema: z.boolean().default(true),
    type: 'boolean',
    meaning:
      'Statement kinds that are not known are blocked; `false` holds them like any CRITICAL. Text that cannot be parsed is never executed, whatever this says.',
  },
  block_unrecoverable_operations: {
    schema: z.boolean().default(true),
    type: 'boolean',
    meaning:
      'CRITICAL and IMPACT_CRITICAL statements are blocked when table snapshots cannot bring back what they destroy.',
  },
  max_snapshot_age_seconds: {
    schema: periodSchema.default(300),
    type: 'seconds',
    meaning: 'An older recovery point does not count. 0: only one that is captured for the statement itself.',
  },
  require_sidecar_heartbeat: {
    schema: z.boolean().default(true),
    type: 'boolean',
    meaning: 'Where a recovery point is required, the background capture must be healthy too.',
  },
  max_sidecar_heartbeat_seconds: {
    schema: periodSchema.default(120),
    type: 'seconds',
    meaning: 'An older heartbeat of the background capture does not count.',
  },
  require_object_checksum: {
    schema: z.boolean().default(false),
    type: 'boolean',
    meaning:
      'Objects of a recovery point are read and hashed again before it is relied on. `false`: the read-back right after capture is enough.',
  },
  require_undo_for_writes: {
    schema: z.boolean().default(false),
    type: 'boolean',
    meaning:
      'A write whose old rows cannot be kept (too many of them, or more than rows changed) is rolled back. `false`: it stands, and its answer says why it cannot be undone.',
  },
  impact_analysis_enabled: {
    schema: z.boolean().default(true),
    type: 'boolean',
    meaning: 'Rows that an UPDATE or DELETE reaches are counted before it runs.',
  },
  max_write_rows_without_critical: {
    schema: z.int().min(0).default(1000),
    type: 'rows',
    meaning: 'A write that reaches more rows is IMPACT_CRITICAL. 0: every write that reaches a row.',
  },
  max_write_percent_without_critical: {
    schema: z.number().min(0).max(100).default(50),
    type: 'percent',
    meaning: 'A write that reaches a larger part of the table is IMPACT_CRITICAL. 100 switches this limit off.',
  },
  protected_tables: {
    schema: z
      .array(tableSchema)
      .transform(unique<string>)
      .default([]),
    type: 'list of tables',
    meaning:
      'A write to one of them is at least IMPACT_CRITICAL, a read at least HIGH, also through views and functions. `name` means the table in every schema, `schema.name` that one; letter case does not matter.',
  },
  protected_columns: {
    schema: z
      .record(z.string(), z.array(columnSchema).transform(unique<string>))
      .superRefine((record, context) => {
        for (const table of Object.keys(record)) {
          if (parseTableEntry(table) !== undefined) continue
          context.addIssue({ code: 'custom', path: [table], message: 'is not a table: use "name" or "schema.name"' })
        }
      })
      .default({}),
    type: 'table → list of columns',
    meaning:
      'A write to one of the columns is at least IMPACT_CRITICAL, a read at least HIGH. Tables as in `protected_tables`; `["*"]` means every column.',
  },
  unknown_impact_action: {
    schema: z.enum(['execute', 'approve', 'block']).default('approve'),
    type: 'execute, approve or block',
    meaning: 'What happens to a write whose rows could not be counted or estimated, where its level asks for less.',
  },
  recovery_groups: {
    schema: z.record(z.string().min(1), z.array(tableSchema).transform(unique<string>)).default({}),
    type: 'name → list of tables',
    meaning:
      'Tables that are only of use together: when one of them needs a recovery point, all of them do, and of one instant (a set). Names as the catalog stores them; without a schema they are in that of the table that is written.',
  },
  foreign_key_grouping_enabled: {
    schema: z.boolean().default(false),
    type: 'boolean',
    meaning:
      'Tables that foreign keys join to those that need a recovery point, in both directions and through others, need one too, and of one instant.',
  },
  cascade_risk_requires_group_readiness: {
    schema: z.boolean().default(false),
    type: 'boolean',
    meaning:
      'Tables that lose rows only through a cascade need a fresh recovery point before the statement is accepted, of one instant with the table that it names. They are captured in its transaction in any case.',
  },
  max_blocked_attempts_per_window: {
    schema: z.int().min(0).default(3),
    type: 'attempts',
    meaning:
      'So many blocked or denied attempts in a window lead to quarantine. 0 tolerates none: the first one does, as with 1.',
  },
  quarantine_duration_seconds: {
    schema: periodSchema.default(1800),
    type: 'seconds',
    meaning: 'How long a quarantine lasts. 0: nobody is quarantined.',
  },
  dangerous_retry_window_seconds: {
    schema: periodSchema.default(600),
    type: 'seconds',
    meaning: 'Attempts are counted from the first one for this long, then from anew. 0: every attempt stands alone.',
  },
  quarantine_blocks_safe_queries: {
    schema: z.boolean().default(false),
    type: 'boolean',
    meaning: 'SAFE statements of a quarantined principal are blocked too.',
  },
} as const satisfies Readonly<Record<string, FieldSpecification>>

export type PolicyFieldName = keyof typeof POLICY_FIELDS

export const POLICY_FIELD_NAMES = Object.keys(POLICY_FIELDS) as readonly PolicyFieldName[]

type FieldSchemas = { readonly [Name in PolicyFieldName]: (typeof POLICY_FIELDS)[Name]['schema'] }

export const policySchema = z.strictObject(
  Object.fromEntries(POLICY_FIELD_NAMES.map((name) => [name, POLICY_FIELDS[name].schema])) as FieldSchemas,
)
