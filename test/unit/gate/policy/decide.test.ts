import { expect, test } from 'vitest'
import type { DecisionFacts, LevelActions, PolicyAction } from '#lib/gate/policy/index.ts'
import { decide, RULES } from '#lib/gate/policy/index.ts'
import { factsOf, policyOf } from './sample-facts.ts'

interface Case {
  readonly name: string
  readonly facts: Partial<DecisionFacts>
  readonly fields?: object
  readonly levelActions?: LevelActions
  readonly expected: readonly [PolicyAction, string, string]
}

const protectedWrite = { code: 'protected-table', level: 'IMPACT_CRITICAL', message: 'm' } as const
const protectedRead = { code: 'protected-column', level: 'HIGH', message: 'm' } as const
const unknownNode = { code: 'unknown-node-kind', level: 'CRITICAL', message: 'm' } as const

const CASES: readonly Case[] = [
  {
    name: 'a SAFE statement may execute immediately',
    facts: { level: 'SAFE', operation: 'SELECT', transaction: 'read' },
    expected: ['execute', 'level-action', 'SAFE SQL may execute immediately'],
  },
  {
    name: 'a LOW write may execute immediately',
    facts: {},
    expected: ['execute', 'level-action', 'LOW SQL may execute immediately'],
  },
  {
    name: 'a HIGH statement requires approval',
    facts: { level: 'HIGH', operation: 'CREATE INDEX' },
    expected: ['approve', 'level-action', 'HIGH SQL requires approval'],
  },
  {
    name: 'DROP DATABASE is blocked by policy, before any other reason is given',
    facts: { level: 'CRITICAL', operation: 'DROP DATABASE', recoverability: 'impossible', transaction: 'outside' },
    expected: ['block', 'block-operations', 'DROP DATABASE is blocked by policy'],
  },
  {
    name: 'a block on DELETE blocks the DELETE inside a CTE',
    facts: { level: 'HIGH', operation: 'INSERT', operations: ['INSERT', 'DELETE', 'SELECT'] },
    fields: { block_operations: ['delete'] },
    expected: ['block', 'block-operations', 'DELETE inside INSERT is blocked by policy'],
  },
  {
    name: 'a block on DROP covers every kind of object',
    facts: { level: 'HIGH', operation: 'DROP MATERIALIZED VIEW' },
    fields: { block_operations: ['DROP'] },
    expected: ['block', 'block-operations', 'DROP MATERIALIZED VIEW is blocked by policy'],
  },
  {
    name: 'a block on DROP FUNCTION covers DROP ROUTINE, which drops functions too',
    facts: { level: 'HIGH', operation: 'DROP ROUTINE' },
    fields: { block_operations: ['DROP FUNCTION'] },
    expected: ['block', 'block-operations', 'DROP ROUTINE is blocked by policy'],
  },
  {
    name: 'a block on CREATE INDEX leaves CREATE INDEXER alone',
    facts: { level: 'HIGH', operation: 'CREATE INDEXER' },
    fields: { block_operations: ['CREATE INDEX'] },
    expected: ['approve', 'level-action', 'HIGH SQL requires approval'],
  },
  {
    name: 'with an empty block list nothing is blocked by its operation',
    facts: { level: 'CRITICAL', operation: 'DROP DATABASE' },
    fields: { block_operations: [], block_unrecoverable_operations: false },
    expected: ['approve', 'level-action', 'CRITICAL SQL requires approval'],
  },
  {
    name: 'several statements are blocked even where everything executes',
    facts: { level: 'CRITICAL', operation: 'UNKNOWN', refusal: 'MULTIPLE_STATEMENTS', transaction: 'never' },
    fields: { require_approval_for_risks: [], block_operations: [] },
    expected: ['block', 'never-run', 'several statements in one request are blocked: send them one by one'],
  },
  {
    name: 'hidden characters are blocked',
    facts: { level: 'CRITICAL', operation: 'UNKNOWN', refusal: 'HIDDEN_CHARACTERS', transaction: 'never' },
    expected: [
      'block',
      'never-run',
      'the text has invisible characters that make it read differently from what would run',
    ],
  },
  {
    name: 'nothing to run is blocked',
    facts: { level: 'SAFE', operation: 'EMPTY', refusal: 'EMPTY', transaction: 'never' },
    expected: ['block', 'never-run', 'there is no statement to run'],
  },
  {
    name: 'a session change is blocked although its level executes',
    facts: { level: 'SAFE', operation: 'SET', transaction: 'never' },
    expected: ['block', 'never-run', 'SET is blocked: it would change the session of the next caller'],
  },
  {
    name: 'unparsable text is blocked',
    facts: { level: 'CRITICAL', operation: 'PARSE_FAILURE', refusal: 'PARSE_FAILURE', transaction: 'never' },
    expected: ['block', 'unknown-statement', 'unknown or unparsable SQL is blocked by policy'],
  },
  {
    name: 'unparsable text is blocked also where the policy lets unknown kinds through',
    facts: { level: 'CRITICAL', operation: 'PARSE_FAILURE', refusal: 'PARSE_FAILURE', transaction: 'never' },
    fields: { block_unknown_or_parse_failure: false, require_approval_for_risks: [] },
    expected: ['block', 'unknown-statement', 'unknown or unparsable SQL is blocked by policy'],
  },
  {
    name: 'an unknown kind of statement is blocked',
    facts: { level: 'CRITICAL', operation: 'NEW COMMAND', findings: [unknownNode] },
    expected: ['block', 'unknown-statement', 'unknown or unparsable SQL is blocked by policy'],
  },
  {
    name: 'an unknown kind of statement is held where the policy does not block it',
    facts: { level: 'CRITICAL', operation: 'NEW COMMAND', findings: [unknownNode] },
    fields: { block_unknown_or_parse_failure: false },
    expected: ['approve', 'level-action', 'CRITICAL SQL requires approval'],
  },
  {
    name: 'what cannot be recovered is blocked',
    facts: { level: 'CRITICAL', operation: 'DROP EXTENSION', recoverability: 'impossible' },
    expected: [
      'block',
      'unrecoverable',
      'DROP EXTENSION cannot be undone from recovery points and is blocked by policy',
    ],
  },
  {
    name: 'what cannot be recovered needs a person even where its level executes',
    facts: { level: 'CRITICAL', operation: 'DROP EXTENSION', recoverability: 'impossible' },
    fields: { block_unrecoverable_operations: false },
    levelActions: { CRITICAL: 'execute' },
    expected: ['approve', 'recovery-required', 'DROP EXTENSION has no possible recovery point and requires approval'],
  },
  {
    name: 'an unrecoverable HIGH statement is held and not blocked',
    facts: { level: 'HIGH', operation: 'GRANT', recoverability: 'impossible' },
    expected: ['approve', 'level-action', 'HIGH SQL requires approval'],
  },
  {
    name: 'the environment wins over the approval list, in both directions',
    facts: { level: 'HIGH', operation: 'CREATE INDEX' },
    levelActions: { HIGH: 'execute' },
    expected: ['execute', 'level-action', 'HIGH SQL may execute immediately'],
  },
  {
    name: 'the environment can block a level',
    facts: {},
    levelActions: { LOW: 'block' },
    expected: ['block', 'level-action', 'LOW SQL is blocked by policy'],
  },
  {
    name: 'a measured impact never lowers what is CRITICAL as written',
    facts: { level: 'IMPACT_CRITICAL', levels: ['CRITICAL', 'IMPACT_CRITICAL'] },
    fields: { require_approval_for_risks: ['CRITICAL'] },
    expected: ['approve', 'level-action', 'CRITICAL SQL requires approval'],
  },
  {
    name: 'a raise to IMPACT_CRITICAL that executes does not lift the approval of HIGH',
    facts: { level: 'IMPACT_CRITICAL', levels: ['HIGH', 'IMPACT_CRITICAL'] },
    levelActions: { IMPACT_CRITICAL: 'execute' },
    expected: ['approve', 'level-action', 'HIGH SQL requires approval'],
  },
  {
    name: 'a protected table asks for approval by name',
    facts: { protectedTable: 'public.users', findings: [protectedWrite] },
    expected: ['approve', 'protected-object', 'UPDATE on protected public.users requires approval'],
  },
  {
    name: 'reading a protected column asks for approval',
    facts: {
      level: 'HIGH',
      operation: 'SELECT',
      protectedColumns: ['users.email'],
      findings: [protectedRead],
    },
    expected: ['approve', 'protected-object', 'SELECT on protected users.email requires approval'],
  },
  {
    name: 'reading a protected column executes where HIGH does, whatever writing to it leads to',
    facts: {
      level: 'HIGH',
      operation: 'SELECT',
      protectedColumns: ['users.email'],
      findings: [protectedRead],
    },
    levelActions: { HIGH: 'execute', IMPACT_CRITICAL: 'block' },
    expected: ['execute', 'level-action', 'HIGH SQL may execute immediately'],
  },
  {
    name: 'a protected table is blocked where IMPACT_CRITICAL is',
    facts: { protectedTable: 'public.users', findings: [protectedWrite] },
    levelActions: { IMPACT_CRITICAL: 'block' },
    expected: ['block', 'protected-object', 'UPDATE on protected public.users is blocked by policy'],
  },
  {
    name: 'a write beyond the row limit asks for approval with its figure',
    facts: { impact: { method: 'counted', rowCount: 1001, percent: 1 } },
    expected: ['approve', 'write-impact', 'UPDATE reaches 1001 rows (limit 1000) and requires approval'],
  },
  {
    name: 'a write at the row limit executes',
    facts: { impact: { method: 'counted', rowCount: 1000, percent: 50 } },
    expected: ['execute', 'level-action', 'LOW SQL may execute immediately'],
  },
  {
    name: 'a count that was cut off says so',
    facts: { impact: { method: 'bounded', rowCount: 1001 } },
    expected: ['approve', 'write-impact', 'UPDATE reaches at least 1001 rows (limit 1000) and requires approval'],
  },
  {
    name: 'a write beyond the share of the table asks for approval',
    facts: { impact: { method: 'counted', rowCount: 2, percent: 66.666 } },
    expected: ['approve', 'write-impact', 'UPDATE reaches 66.7 % of the table (limit 50 %) and requires approval'],
  },
  {
    name: 'a row limit of zero asks for every row',
    facts: { impact: { method: 'counted', rowCount: 1, percent: 1 } },
    fields: { max_write_rows_without_critical: 0 },
    expected: ['approve', 'write-impact', 'UPDATE reaches 1 rows (limit 0) and requires approval'],
  },
  {
    name: 'an unknown impact does what the policy says: approve',
    facts: { impact: { method: 'unknown' } },
    expected: ['approve', 'unknown-impact', 'UPDATE reaches a number of rows that is unknown and requires approval'],
  },
  {
    name: 'an unknown impact does what the policy says: block',
    facts: { impact: { method: 'unknown' } },
    fields: { unknown_impact_action: 'block' },
    expected: ['block', 'unknown-impact', 'UPDATE reaches a number of rows that is unknown and is blocked by policy'],
  },
  {
    name: 'an unknown impact does what the policy says: execute',
    facts: { impact: { method: 'unknown' } },
    fields: { unknown_impact_action: 'execute' },
    expected: ['execute', 'level-action', 'LOW SQL may execute immediately'],
  },
  {
    name: 'without impact analysis its limits are not asked',
    facts: { impact: { method: 'unknown', rowCount: 5000 } },
    fields: { impact_analysis_enabled: false },
    expected: ['execute', 'level-action', 'LOW SQL may execute immediately'],
  },
]

test.each(CASES)('$name', ({ facts, fields, levelActions, expected }) => {
  const [action, rule, reason] = expected
  expect(decide(factsOf(facts), policyOf(fields ?? {}, levelActions))).toEqual({ action, rule, reason })
})

test('every rule decides at least one of the cases, and ids are unique', () => {
  const deciding = new Set(CASES.map((entry) => entry.expected[1]))
  expect(RULES).toHaveLength(9)
  expect([...deciding].sort()).toEqual(RULES.map((rule) => rule.id).sort())
})
