/** Rounds that keep tables together which are only of use together. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RoundPolicy } from '#lib/recovery/index.ts'
import type { FixedClock } from '#test/support/fixed-clock.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

const SEED = `
  CREATE TABLE orders (id integer PRIMARY KEY);
  CREATE TABLE lines (id integer PRIMARY KEY, order_id integer REFERENCES orders);
  CREATE TABLE alone (id integer PRIMARY KEY);
  CREATE SCHEMA other; CREATE TABLE other.orders (id integer PRIMARY KEY); CREATE TABLE other.lines (id integer);
  CREATE TABLE log (day integer, line text) PARTITION BY LIST (day);
  CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1);
  INSERT INTO orders VALUES (1); INSERT INTO lines VALUES (1, 1);
`
const GROUPED: RoundPolicy = {
  allowedTables: [],
  minimumAgeMs: 60_000,
  groups: [{ name: 'shop', tables: [{ name: 'orders' }, { name: 'lines' }] }],
}

let db: TestDatabase
let clock: FixedClock
let slice: TestRecovery

beforeEach(async () => {
  db = await createTestDatabase(SEED)
  clock = createFixedClock()
  slice = await openTestRecovery(db.database, { clock })
})

afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

const rel = (name: string, schema = 'public') => ({ schema, name })

/** Tables of each set that is there, newest first. */
async function setsNow() {
  const { sets } = await slice.recovery.sets.list()
  return sets.map(({ members }) => members.map(({ relation }) => `${relation.schema}.${relation.name}`))
}

test('a group is captured as one set in each schema, and only anew when one of its tables has changed', async () => {
  const first = await slice.recovery.runRound(GROUPED)
  expect(first.failed).toEqual([])
  expect((await setsNow()).toSorted()).toEqual([
    ['other.lines', 'other.orders'],
    ['public.orders', 'public.lines'],
  ])
  expect(first.captured.map(({ relation }) => relation.name).toSorted()).toEqual([
    'alone',
    'lines',
    'lines',
    'log_1',
    'orders',
    'orders',
  ])
  clock.advance(120_000)
  expect((await slice.recovery.runRound(GROUPED)).captured).toEqual([])
  await db.run('INSERT INTO lines VALUES (2, 1)')
  clock.advance(120_000)
  await slice.recovery.runRound(GROUPED)
  const { sets } = await slice.recovery.sets.list()
  expect(sets).toHaveLength(3)
  expect(sets[0]?.members.map(({ relation, rowCount }) => [relation.name, rowCount])).toEqual([
    ['orders', 1],
    ['lines', 2],
  ])
})

test('tables that were captured alone before become a set though nothing has changed', async () => {
  await slice.recovery.runRound({ ...GROUPED, groups: [] })
  expect(await setsNow()).toEqual([])
  await slice.recovery.runRound(GROUPED)
  expect(await slice.recovery.findNewestValidSet([rel('orders'), rel('lines')])).toHaveLength(2)
})

test('a plan orders a group once, with its companions, and the order is carried out as a set', async () => {
  const plan = await slice.recovery.planRound(GROUPED)
  const ordered = plan.captures.map(({ relation, companions = [] }) =>
    [relation, ...companions].map(({ schema, name }) => `${schema}.${name}`),
  )
  expect(ordered.toSorted()).toEqual([
    ['other.lines', 'other.orders'],
    ['public.alone'],
    ['public.lines', 'public.orders'],
    ['public.log_1'],
  ])
  const order = plan.captures.find(({ relation }) => relation.name === 'lines' && relation.schema === 'public')
  const outcome = await slice.recovery.captureOne(JSON.parse(JSON.stringify(order)))
  expect(outcome).toMatchObject({
    status: 'captured',
    point: { relation: rel('lines') },
    others: [{ relation: rel('orders') }],
  })
  if (order !== undefined) expect(await slice.recovery.captureOne(order)).toMatchObject({ status: 'fresh' })
})

test('with foreign-key grouping tables that keys join are a set without being named', async () => {
  await slice.recovery.runRound({ allowedTables: [], minimumAgeMs: 60_000, isForeignKeyGrouping: true })
  expect(await setsNow()).toEqual([['public.orders', 'public.lines']])
})

test('a partitioned table of a group is one member, taken when one of its partitions has changed', async () => {
  const policy = { ...GROUPED, groups: [{ name: 'logs', tables: [rel('log'), rel('alone')] }] }
  await slice.recovery.runRound(policy)
  expect(await setsNow()).toEqual([['public.alone', 'public.log']])
  clock.advance(120_000)
  await db.run(`INSERT INTO log VALUES (1, 'a')`)
  await slice.recovery.runRound(policy)
  const { sets } = await slice.recovery.sets.list()
  expect(sets[0]?.members.map(({ rowCount }) => rowCount)).toEqual([0, 1])
})

test('a member that cannot be captured keeps the others from being a set, and none of them without points', async () => {
  await db.run('CREATE TABLE odd (v pg_node_tree)')
  const policy = { ...GROUPED, groups: [{ name: 'odd', tables: [rel('odd'), rel('orders'), rel('lines')] }] }
  for (let round = 0; round < 3; round += 1) {
    await slice.recovery.runRound(policy)
    clock.advance(120_000)
    await db.run(`INSERT INTO orders VALUES (${10 + round}); INSERT INTO lines VALUES (${10 + round}, 1)`)
  }
  expect(await setsNow()).toEqual([])
  for (const name of ['orders', 'lines']) expect(await slice.recovery.findNewestValid(rel(name))).toBeDefined()
})

test('a group of which a table is not allowed is not captured as one', async () => {
  await slice.recovery.runRound({ ...GROUPED, allowedTables: ['orders', 'alone'] })
  expect(await setsNow()).toEqual([])
})
