/** Which tables hang together, in which order, and what the reader may not expect. */
import { expect, test } from 'vitest'
import type { RelationName } from '#lib/kernel/index.ts'
import { displayRelation } from '#lib/kernel/index.ts'
import type { GraphTable, SetKey, TableGraph } from '#lib/recovery/set/model.ts'
import { MAX_MEMBERS } from '#lib/recovery/set/model.ts'
import { planSet } from '#lib/recovery/set/plan.ts'

function named(text: string): RelationName {
  const [schema = '', name] = text.split('.')
  return name === undefined ? { schema: 'public', name: schema } : { schema, name }
}

function table(text: string, extra: Partial<GraphTable> = {}): GraphTable {
  return { relation: named(text), oid: 1, kind: 'table', parents: [], isPartition: false, ...extra }
}

/** `a→b` for a key of a to b. */
function key(text: string, columns = ['id']): SetKey {
  const [from = '', to = ''] = text.split('→')
  return { name: text, table: named(from), columns, references: named(to), referencedColumns: columns }
}

function graphOf(tables: readonly (string | GraphTable)[], keys: readonly string[]): TableGraph {
  return {
    tables: tables.map((one) => (typeof one === 'string' ? table(one) : one)),
    keys: keys.map((text) => key(text)),
  }
}

const names = (relations: readonly RelationName[]) => relations.map(({ name }) => name)

/** orders and lines of a shop, with what they refer to and what refers to them. */
const SHOP = graphOf(
  ['customer', 'country', 'order', 'line', 'product', 'refund', 'alone'],
  ['customer→country', 'order→customer', 'line→order', 'line→product', 'refund→line'],
)

test('a list of tables is taken as it is, those that are referred to first', () => {
  const plan = planSet(SHOP, { kind: 'tables', tables: [named('line'), named('order'), named('customer')] })
  expect(names(plan.members)).toEqual(['customer', 'order', 'line'])
  expect(plan.keys.inside.map(({ name }) => name)).toEqual(['order→customer', 'line→order'])
  expect(plan.keys.outgoing.map(({ name }) => name)).toEqual(['customer→country', 'line→product'])
  expect(plan.keys.incoming.map(({ name }) => name)).toEqual(['refund→line'])
})

test('connected follows foreign keys both ways; dependencies only towards what is referred to', () => {
  const connected = planSet(SHOP, { kind: 'connected', tables: [named('order')] })
  expect(names(connected.members)).toEqual(['country', 'customer', 'order', 'product', 'line', 'refund'])
  expect(connected.keys.outgoing).toEqual([])
  const dependencies = planSet(SHOP, { kind: 'dependencies', tables: [named('order')] })
  expect(names(dependencies.members)).toEqual(['country', 'customer', 'order'])
})

test('a table without keys is a set of its own', () => {
  expect(names(planSet(SHOP, { kind: 'connected', tables: [named('alone')] }).members)).toEqual(['alone'])
})

test('a table that is named twice is one member', () => {
  expect(planSet(SHOP, { kind: 'tables', tables: [named('order'), named('order')] }).members).toHaveLength(1)
})

test('circles are named, stand together, and come after what they refer to', () => {
  const graph = graphOf(['a', 'b', 'c', 'before', 'after'], ['a→b', 'b→c', 'c→a', 'b→before', 'after→c'])
  const plan = planSet(graph, { kind: 'connected', tables: [named('a')] })
  expect(plan.circles.map(names)).toEqual([['a', 'b', 'c']])
  expect(names(plan.members)).toEqual(['before', 'a', 'b', 'c', 'after'])
})

test('a table that refers to itself is no circle', () => {
  const plan = planSet(graphOf(['tree'], ['tree→tree']), { kind: 'connected', tables: [named('tree')] })
  expect(plan.circles).toEqual([])
  expect(plan.keys.inside).toHaveLength(1)
})

test('names are told apart by schema and letter case', () => {
  const graph = graphOf(['a.Order', 'b.Order', 'a.order'], ['a.Order→b.Order'])
  const plan = planSet(graph, { kind: 'connected', tables: [named('a.Order')] })
  expect(plan.members.map(displayRelation)).toEqual(['b.Order', 'a.Order'])
})

test('a chain of ten thousand tables is too large, and found so without a deep stack', () => {
  const tables = Array.from({ length: 10_000 }, (_, index) => `t${index}`)
  const keys = tables.slice(1).map((name, index) => `${name}→t${index}`)
  const whole = () => planSet(graphOf(tables, keys), { kind: 'connected', tables: [named('t500')] })
  expect(whole).toThrow(expect.objectContaining({ code: 'SET_TOO_LARGE' }))
  const most = planSet(graphOf(tables, keys), { kind: 'dependencies', tables: [named(`t${MAX_MEMBERS - 1}`)] })
  expect(names(most.members)).toEqual(tables.slice(0, MAX_MEMBERS))
})

const PARTITIONED = [
  table('log', { kind: 'partitioned table' }),
  table('log_1', { isPartition: true, parents: [named('log')] }),
  table('log_2', { isPartition: true, parents: [named('log')], kind: 'partitioned table' }),
  table('log_2_a', { isPartition: true, parents: [named('log_2')] }),
]

test('following keys takes the whole partitioned table, from whichever partition they lead', () => {
  const graph = graphOf(['person', 'note', ...PARTITIONED], ['log→person', 'log_1→person', 'note→log_2_a'])
  for (const start of ['person', 'log_2_a', 'note']) {
    const plan = planSet(graph, { kind: 'connected', tables: [named(start)] })
    expect(names(plan.members)).toEqual(expect.arrayContaining(['person', 'log', 'note']))
    expect(plan.members).toHaveLength(3)
  }
})

test('a partition beside its parent is left out and said so; alone it is a member', () => {
  const graph = graphOf(PARTITIONED, [])
  const both = planSet(graph, { kind: 'tables', tables: [named('log_2_a'), named('log')] })
  expect(names(both.members)).toEqual(['log'])
  expect(both.notes).toEqual(['public.log_2_a is a partition of public.log, which holds its rows'])
  const alone = planSet(graph, { kind: 'tables', tables: [named('log_1')] })
  expect({ members: names(alone.members), notes: alone.notes }).toEqual({ members: ['log_1'], notes: [] })
})

test('children by inheritance are followed, and named where a list leaves them out', () => {
  const graph = graphOf(['base', table('child', { parents: [named('base')] })], [])
  expect(names(planSet(graph, { kind: 'connected', tables: [named('base')] }).members)).toEqual(['base', 'child'])
  expect(planSet(graph, { kind: 'tables', tables: [named('base')] }).notes).toEqual([
    'public.child inherits from public.base and is not taken: its rows are not in the set',
  ])
})

test.for([
  ['a table that is not there', { kind: 'tables', tables: [named('nowhere')] }, 'TABLE_MISSING'],
  ['no table at all', { kind: 'tables', tables: [] }, 'USAGE_INVALID'],
] as const)('%s is refused', ([, selection, code]) => {
  expect(() => planSet(SHOP, selection)).toThrow(expect.objectContaining({ code }))
})
