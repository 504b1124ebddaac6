import { expect, test } from 'vitest'
import type { Assessment } from '#lib/gate/assess/index.ts'
import type { Access, ClassifiedStatement, Target } from '#lib/gate/classify/index.ts'
import { describeFacts } from '#lib/gate/policy/index.ts'
import { sha256Hex } from '#lib/kernel/index.ts'

function statementOf(changes: Partial<ClassifiedStatement>): ClassifiedStatement {
  return {
    ok: true,
    kind: 'SelectStmt',
    operation: 'SELECT',
    operations: ['SELECT'],
    level: 'SAFE',
    findings: [],
    targets: [],
    functions: [],
    unresolvedFunctions: [],
    qualifiedOperators: [],
    types: [],
    columns: [],
    attributes: [],
    transaction: 'read',
    recoverability: 'nothing-lost',
    returnsRows: true,
    fingerprint: 'f',
    textSha256: sha256Hex('x'),
    ...changes,
  }
}

const ASSESSMENT: Assessment = {
  level: 'LOW',
  findings: [],
  targets: [],
  functions: [],
  definitions: [],
  unresolved: [],
  impact: { method: 'not-applicable' },
  unknownFunctions: [],
  isBuiltInOnly: true,
  losingTables: [],
  protectedColumns: [],
  readsProtected: false,
}

test('names every operation inside the statement, also the one under EXPLAIN ANALYZE', () => {
  const insert = statementOf({ operation: 'INSERT', operations: ['INSERT', 'DELETE', 'SELECT'] })
  expect(describeFacts(insert).operations).toEqual(['INSERT', 'DELETE', 'SELECT'])
  const explain = statementOf({ operation: 'Explain Analyze Delete', operations: ['Explain Analyze Delete'] })
  expect(describeFacts(explain).operations).toEqual(['EXPLAIN ANALYZE DELETE', 'DELETE'])
})

test('names what an access to a target does, where the label does not say it', () => {
  const target = (access: Access): Target => ({
    object: { name: 'orders' },
    objectKind: 'table',
    access,
    scope: 'filtered',
    isDestructive: false,
    isCascade: false,
    isOnly: false,
  })
  const operationsOf = (operation: string, accesses: readonly Access[]) =>
    describeFacts(statementOf({ operation, operations: [operation], targets: accesses.map(target) })).operations
  expect(operationsOf('MERGE', ['merge', 'delete', 'read'])).toEqual(['MERGE', 'DELETE'])
  expect(operationsOf('INSERT', ['insert', 'update'])).toEqual(['INSERT', 'UPDATE'])
  expect(operationsOf('SELECT INTO', ['read', 'create'])).toEqual(['SELECT INTO', 'CREATE TABLE'])
  expect(operationsOf('CREATE TRIGGER', ['alter'])).toEqual(['CREATE TRIGGER'])
})

test('keeps every level of the text, the findings and the assessment', () => {
  const finding = { code: 'volatile-function', level: 'HIGH', message: 'm' } as const
  const facts = describeFacts(statementOf({ level: 'LOW', findings: [finding] }), {
    ...ASSESSMENT,
    level: 'IMPACT_CRITICAL',
  })
  expect([...facts.levels].sort()).toEqual(['HIGH', 'IMPACT_CRITICAL', 'LOW'])
  expect(facts.level).toBe('IMPACT_CRITICAL')
})

test('splits the tables that lose rows by what reaches them', () => {
  const orders = { schema: 'public', name: 'orders' }
  const items = { schema: 'public', name: 'items' }
  const resolved = { oid: 1, relation: orders, relationKind: 'r', scope: 'all', isDestructive: true } as const
  const truncate = describeFacts(statementOf({ operation: 'TRUNCATE' }), {
    ...ASSESSMENT,
    targets: [{ ...resolved, access: 'truncate' }],
    losingTables: [orders, items],
  })
  expect(truncate).toMatchObject({ directTables: [orders], cascadeTables: [items], writtenTables: [] })
  const partitioned = describeFacts(statementOf({ operation: 'TRUNCATE' }), {
    ...ASSESSMENT,
    targets: [{ ...resolved, relationKind: 'p', access: 'truncate' }],
    losingTables: [orders, items],
  })
  expect(partitioned).toMatchObject({ directTables: [orders, items], cascadeTables: [] })
  const foreign = describeFacts(statementOf({ operation: 'TRUNCATE' }), {
    ...ASSESSMENT,
    targets: [{ ...resolved, relationKind: 'f', access: 'truncate' }],
  })
  expect(foreign.writtenTables).toEqual([orders])
  const throughView = describeFacts(statementOf({ operation: 'DELETE' }), {
    ...ASSESSMENT,
    targets: [{ ...resolved, relationKind: 'v', access: 'delete' }],
    losingTables: [items],
  })
  expect(throughView).toMatchObject({ directTables: [items], cascadeTables: [], writtenTables: [] })
  const update = describeFacts(statementOf({ operation: 'UPDATE' }), {
    ...ASSESSMENT,
    targets: [
      { ...resolved, access: 'update', isDestructive: false },
      { ...resolved, relation: items, access: 'read', isDestructive: false },
    ],
  })
  expect(update).toMatchObject({ directTables: [], cascadeTables: [], writtenTables: [orders] })
})

test('a refused text keeps its reason and its level', () => {
  const refused = {
    ok: false,
    code: 'PARSE_FAILURE',
    level: 'CRITICAL',
    message: 'm',
    textSha256: sha256Hex('x'),
  } as const
  expect(describeFacts(refused)).toMatchObject({
    operation: 'PARSE_FAILURE',
    refusal: 'PARSE_FAILURE',
    level: 'CRITICAL',
    transaction: 'never',
  })
})
