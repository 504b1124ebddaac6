/** Whatever the facts and the policy: one verdict, and one more restriction never widens access. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ActivePolicy, DecisionFacts, LevelActions, Policy, PolicyAction } from '#lib/gate/policy/index.ts'
import { activatePolicy, decide, defaultPolicy, parsePolicy, planRecovery, RULES } from '#lib/gate/policy/index.ts'
import { maxRisk, RISK_LEVELS } from '#lib/kernel/index.ts'

const ACTIONS: readonly PolicyAction[] = ['execute', 'approve', 'block']
const OPERATIONS = ['SELECT', 'UPDATE', 'DELETE', 'DROP TABLE', 'DROP DATABASE', 'CREATE INDEX', 'DO', 'SET']

const level = fc.constantFrom(...RISK_LEVELS)
const action = fc.constantFrom(...ACTIONS)
const tables = fc.array(fc.record({ schema: fc.constantFrom('a', 'b'), name: fc.constantFrom('t', 'u', 'v') }), {
  maxLength: 3,
})

const facts: fc.Arbitrary<DecisionFacts> = fc
  .record({
    operations: fc.uniqueArray(fc.constantFrom(...OPERATIONS), { minLength: 1, maxLength: 4 }),
    levels: fc.uniqueArray(level, { minLength: 1 }),
    findings: fc.array(
      fc.record({
        code: fc.constantFrom('unknown-node', 'data-modifying-cte', 'protected-table'),
        level,
        message: fc.constant('m'),
      }),
      { maxLength: 2 },
    ),
    transaction: fc.constantFrom('read', 'write', 'outside', 'never'),
    recoverability: fc.constantFrom('nothing-lost', 'tables', 'impossible'),
    refusal: fc.option(
      fc.constantFrom('EMPTY', 'MULTIPLE_STATEMENTS', 'PARSE_FAILURE', 'TOO_LONG', 'TOO_DEEP', 'HIDDEN_CHARACTERS'),
      { nil: undefined, freq: 8 },
    ),
    impact: fc.record(
      {
        method: fc.constantFrom('counted', 'bounded', 'planner', 'statistics', 'unknown', 'not-applicable'),
        rowCount: fc.nat(3000),
        percent: fc.integer({ min: 0, max: 100 }),
      },
      { requiredKeys: ['method'] },
    ),
    protectedTable: fc.option(fc.constant('a.t'), { nil: undefined }),
    protectedColumns: fc.array(fc.constant('t.email'), { maxLength: 1 }),
    directTables: tables,
    cascadeTables: tables,
    writtenTables: tables,
    relatedTables: tables,
  })
  .map(({ refusal, protectedTable, ...known }) => ({
    ...known,
    operation: known.operations[0] as string,
    level: RISK_LEVELS[Math.max(...known.levels.map((entry) => RISK_LEVELS.indexOf(entry)))] as DecisionFacts['level'],
    ...(refusal === undefined ? {} : { refusal }),
    ...(protectedTable === undefined ? {} : { protectedTable }),
  }))

const levelActions: fc.Arbitrary<LevelActions> = fc.dictionary(level, action, { maxKeys: 3 })

const policy: fc.Arbitrary<Policy> = fc
  .record({
    require_approval_for_risks: fc.uniqueArray(level),
    block_operations: fc.uniqueArray(fc.constantFrom(...OPERATIONS, 'DROP', 'CREATE'), { maxLength: 3 }),
    require_recovery_for_critical: fc.boolean(),
    block_unknown_or_parse_failure: fc.boolean(),
    block_unrecoverable_operations: fc.boolean(),
    impact_analysis_enabled: fc.boolean(),
    max_write_rows_without_critical: fc.nat(3000),
    max_write_percent_without_critical: fc.integer({ min: 0, max: 100 }),
    unknown_impact_action: action,
    recovery_groups: fc.dictionary(fc.constantFrom('g', 'h'), fc.array(fc.constantFrom('t', 'a.u', 'w'))),
    foreign_key_grouping_enabled: fc.boolean(),
    cascade_risk_requires_group_readiness: fc.boolean(),
  })
  .map((fields) => ({ ...defaultPolicy(), ...fields }))

const active: fc.Arbitrary<ActivePolicy> = fc
  .tuple(policy, levelActions)
  .map(([fields, actions]) => activatePolicy(fields, actions))

type Situation = readonly [DecisionFacts, ActivePolicy]

const withPolicy = ({ policy: fields, levelActions: actions }: ActivePolicy, changes: Partial<Policy>) =>
  activatePolicy({ ...fields, ...changes }, actions)

/** As the assessment tells of a protected object. */
function protect(known: DecisionFacts, code: string, found: 'HIGH' | 'IMPACT_CRITICAL'): DecisionFacts {
  return {
    ...known,
    protectedTable: 'a.t',
    findings: [...known.findings, { code, level: found, message: 'm' }],
    levels: [...known.levels, found],
    level: maxRisk(known.level, found),
  }
}

/** Every way to restrict, each from a situation to one that must be at least as strict. */
const RESTRICTIONS: Readonly<Record<string, (situation: Situation, seed: number) => Situation>> = {
  'block an operation': ([known, now], seed) => [
    known,
    withPolicy(now, {
      block_operations: [...now.policy.block_operations, OPERATIONS[seed % OPERATIONS.length] as string],
    }),
  ],
  'ask for approval of a level': ([known, now], seed) => [
    known,
    withPolicy(now, {
      require_approval_for_risks: [...now.policy.require_approval_for_risks, RISK_LEVELS[seed % 5] ?? 'SAFE'],
    }),
  ],
  'block a level': ([known, now], seed) => [
    known,
    activatePolicy(now.policy, { ...now.levelActions, [RISK_LEVELS[seed % 5] as string]: 'block' }),
  ],
  'block unknown kinds': ([known, now]) => [known, withPolicy(now, { block_unknown_or_parse_failure: true })],
  'block the unrecoverable': ([known, now]) => [known, withPolicy(now, { block_unrecoverable_operations: true })],
  'require recovery': ([known, now]) => [known, withPolicy(now, { require_recovery_for_critical: true })],
  'analyse impact': ([known, now]) => [known, withPolicy(now, { impact_analysis_enabled: true })],
  'lower the row limit': ([known, now]) => [
    known,
    withPolicy(now, { max_write_rows_without_critical: Math.floor(now.policy.max_write_rows_without_critical / 2) }),
  ],
  'lower the share limit': ([known, now]) => [
    known,
    withPolicy(now, {
      max_write_percent_without_critical: Math.floor(now.policy.max_write_percent_without_critical / 2),
    }),
  ],
  'be stricter about unknown impact': ([known, now]) => [
    known,
    withPolicy(now, { unknown_impact_action: now.policy.unknown_impact_action === 'execute' ? 'approve' : 'block' }),
  ],
  'protect a table that is written to': ([known, now]) => [protect(known, 'protected-table', 'IMPACT_CRITICAL'), now],
  'protect a column that is read': ([known, now]) => [protect(known, 'protected-column', 'HIGH'), now],
  'find something more': ([known, now], seed) => {
    const found = RISK_LEVELS[seed % 5] ?? 'SAFE'
    return [{ ...known, levels: [...known.levels, found], level: maxRisk(known.level, found) }, now]
  },
  'contain one more operation': ([known, now], seed) => [
    { ...known, operations: [...known.operations, OPERATIONS[seed % OPERATIONS.length] as string] },
    now,
  ],
}

test('decides everything, with a rule that exists and a reason', () => {
  const ids = RULES.map((rule) => rule.id)
  fc.assert(
    fc.property(facts, active, (known, now) => {
      const verdict = decide(known, now)
      expect(ACTIONS).toContain(verdict.action)
      expect(ids).toContain(verdict.rule)
      expect(verdict.reason).toMatch(/\S/)
    }),
    { numRuns: 2_000 },
  )
})

test.each(Object.entries(RESTRICTIONS))('to %s never widens access', (_name, restrict) => {
  fc.assert(
    fc.property(facts, active, fc.nat(100), (known, now, seed) => {
      const before = decide(known, now)
      const after = decide(...restrict([known, now], seed))
      expect(ACTIONS.indexOf(after.action)).toBeGreaterThanOrEqual(ACTIONS.indexOf(before.action))
    }),
    { numRuns: 500 },
  )
})

test('there are restrictions to try, and lifting one is seen to widen access', () => {
  expect(Object.keys(RESTRICTIONS).length).toBeGreaterThanOrEqual(14)
  const widens = fc.check(
    fc.property(facts, active, (known, now) => {
      const after = decide(known, withPolicy(now, { block_operations: [] }))
      return ACTIONS.indexOf(after.action) >= ACTIONS.indexOf(decide(known, now).action)
    }),
    { numRuns: 2_000 },
  )
  expect(widens.failed).toBe(true)
})

test('what never runs is blocked by every policy', () => {
  fc.assert(
    fc.property(facts, active, (known, now) => {
      fc.pre(known.refusal !== undefined || known.transaction === 'never')
      expect(decide(known, now).action).toBe('block')
    }),
  )
})

test('a recovery plan leaves out no table that is lost or overwritten, whatever its level leads to', () => {
  const key = (table: { readonly schema: string; readonly name: string }) => `${table.schema}.${table.name}`
  fc.assert(
    fc.property(facts, policy, (known, fields) => {
      const plan = planRecovery(known, fields)
      const captured = plan.captureTables.map(key)
      expect(captured).toEqual([...new Set(captured)].sort())
      for (const table of plan.readyTables) expect(captured).toContain(key(table))
      const lost = [...known.directTables, ...known.writtenTables, ...known.cascadeTables]
      if (plan.required) for (const table of lost) expect(captured).toContain(key(table))
      else expect(captured).toEqual([])
    }),
    { numRuns: 1_000 },
  )
})

test('any text is a policy or a list of problems, and never an exception', () => {
  const jsonText = fc.json()
  const nearly = fc
    .dictionary(fc.constantFrom(...Object.keys(defaultPolicy()), 'x'), fc.jsonValue())
    .map((document) => JSON.stringify(document))
  fc.assert(
    fc.property(fc.oneof(fc.string(), jsonText, nearly), (text) => {
      const parsed = parsePolicy(text)
      if (!parsed.ok) expect(parsed.problems.length).toBeGreaterThan(0)
    }),
    { numRuns: 2_000 },
  )
})

test('a policy that is written out and read again is the same policy', () => {
  fc.assert(
    fc.property(policy, (fields) => {
      const once = parsePolicy(JSON.stringify(fields))
      expect(once.ok).toBe(true)
      if (once.ok) expect(parsePolicy(JSON.stringify(once.policy))).toEqual(once)
    }),
  )
})
