import { expect, test } from 'vitest'
import { compareDefinitions, orderCandidates, planScratch } from '#lib/recovery/drill/index.ts'
import type { Manifest, TableDefinition } from '#lib/recovery/manifest/index.ts'

const table = (name: string) => ({ schema: 'public', name })
const TABLES = { source: table('t'), target: { schema: 'scratch', name: 't' } }

test('tables never drilled come first, then the one drilled longest ago', () => {
  const drilledAt = new Map([
    ['"public"."a"', '2027-01-02T00:00:00.000Z'],
    ['"public"."b"', '2027-01-01T00:00:00.000Z'],
  ])
  const names = orderCandidates([table('a'), table('b'), table('d'), table('c')], drilledAt).map(({ name }) => name)
  expect(names).toEqual(['c', 'd', 'b', 'a'])
})

const COLUMN: TableDefinition['columns'][number] = {
  name: 'id',
  type: 'integer',
  collation: null,
  isNotNull: true,
  expression: null,
  identity: null,
  generated: null,
  sequence: null,
  isSerial: false,
  storage: null,
  compression: null,
  statisticsTarget: null,
  options: [],
  comment: null,
  grants: [],
}
const DEFINITION: TableDefinition = {
  kind: 'table',
  isUnlogged: false,
  owner: 'o',
  comment: null,
  accessMethod: 'heap',
  tablespace: null,
  options: [],
  toastOptions: [],
  rowSecurity: 'off',
  replicaIdentity: 'default',
  grants: [],
  columns: [COLUMN],
  constraints: [
    {
      name: 't_pkey',
      kind: 'primary key',
      definition: 'PRIMARY KEY (id)',
      columns: ['id'],
      isValidated: true,
      isInherited: false,
      references: null,
      referenceHead: null,
      referenceTail: null,
      comment: null,
    },
  ],
  indexes: [],
  triggers: [],
  policies: [],
  rules: [],
  statistics: [],
  parents: [],
  partitionBound: null,
  partitionKey: null,
  partitions: [],
  incomingForeignKeys: [],
  dependents: [],
}
const [KEY] = DEFINITION.constraints
if (KEY === undefined) throw new Error('the definition has a key')
const RESTORED: TableDefinition = {
  ...DEFINITION,
  owner: 'r',
  isUnlogged: true,
  constraints: [{ ...KEY, name: 't_t_pkey' }],
}

test('a restored table is equal under its own names, owner and persistence', () => {
  expect(compareDefinitions(DEFINITION, RESTORED, TABLES, new Set())).toEqual({ differences: [], pieceCount: 5 })
})

test.for<[string, Partial<TableDefinition>, string]>([
  ['another type', { columns: [{ ...COLUMN, type: 'bigint' }] }, 'column id'],
  ['a NOT NULL that is gone', { columns: [{ ...COLUMN, isNotNull: false }] }, 'column id'],
  ['other storage', { columns: [{ ...COLUMN, storage: 'plain' }] }, 'attributes of column id'],
  ['a key that is gone', { constraints: [] }, 'primary key t_pkey'],
  ['another key', { constraints: [{ ...KEY, name: 't_t_pkey', columns: ['other'] }] }, 'primary key t_pkey'],
  ['other options', { options: ['fillfactor=70'] }, 'storage of the table'],
])('%s shows', ([, change, subject]) => {
  const { differences } = compareDefinitions(DEFINITION, { ...RESTORED, ...change }, TABLES, new Set())
  expect(differences.map((difference) => difference.subject)).toEqual([subject])
})

test('a column that is gone shows, and one piece that is excused is not compared', () => {
  const gone = compareDefinitions(DEFINITION, { ...RESTORED, columns: [] }, TABLES, new Set())
  expect(gone.differences).toContainEqual({ subject: 'column id', reason: 'it was not restored' })
  const excused = compareDefinitions(
    DEFINITION,
    { ...RESTORED, constraints: [] },
    TABLES,
    new Set(['primary key t_pkey']),
  )
  expect(excused).toEqual({ differences: [], pieceCount: 4 })
})

test('a default, a serial and an identity are compared with their sequences', () => {
  const withDefault = { ...DEFINITION, columns: [{ ...COLUMN, expression: '1' }] }
  const { differences } = compareDefinitions(withDefault, RESTORED, TABLES, new Set())
  expect(differences).toEqual([{ subject: 'default of column id', reason: 'it was not restored' }])
})

test('what would reach beyond the scratch is left out and named, and nothing else changes', () => {
  const key = { ...KEY, kind: 'foreign key' as const, columns: ['id'] }
  const own = { ...key, name: 'to_itself', references: table('t') }
  const foreign = { ...key, name: 'to_users', references: table('users') }
  const grants = ['o', 'reader'].map((grantee) => ({ grantee, privilege: 'SELECT', isGrantable: false }))
  const definition = { ...DEFINITION, constraints: [KEY, own, foreign], grants }
  const { manifest, leftOut } = planScratch({ relation: table('t'), definition } as unknown as Manifest, 'r')
  expect(manifest.definition).toEqual({
    ...definition,
    isUnlogged: true,
    owner: 'r',
    constraints: [KEY, own],
    grants: [grants[1]],
  })
  expect(leftOut.map(({ subject, reason }) => `${subject}: ${reason}`)).toEqual([
    expect.stringMatching(/^write-ahead log: /),
    'foreign key to_users: it would lock public.users and put triggers on it',
    expect.stringMatching(/^owner o: /),
  ])
})
