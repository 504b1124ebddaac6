/** Tables that disappear, against a running product: past the gate, through it, over a restart. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { afterEach, expect, test } from 'vitest'
import { watchTables } from '#lib/product/index.ts'
import { eventually } from '#test/support/eventually.ts'
import { startTestProduct, type TestProduct } from '#test/support/product.ts'
import { readAlerts, readMetrics, type SeenAlert, untilAlert } from '#test/support/watch/alerts.ts'
import { QUIET, untilFirstLook, untilFirstRound } from '#test/support/watch/quiet.ts'

const PROGRAM = fileURLToPath(new URL('../../../bin/backstop.ts', import.meta.url))
const SEED = `
  CREATE TABLE orders (id int PRIMARY KEY, v text); INSERT INTO orders SELECT i, 'row ' || i FROM generate_series(1, 20) i;
  CREATE TABLE "Odd Name" (id int); INSERT INTO "Odd Name" VALUES (1);
  CREATE TABLE other (id int PRIMARY KEY);
  CREATE TABLE parted (id int, part int) PARTITION BY LIST (part);
  CREATE TABLE part_one PARTITION OF parted FOR VALUES IN (1); INSERT INTO parted VALUES (1, 1);
  CREATE TABLE part_two PARTITION OF parted FOR VALUES IN (2);
  CREATE SCHEMA stock; CREATE TABLE stock.a (id int); CREATE TABLE stock.b (id int);`

let t: TestProduct
afterEach(() => t.stop())

const look = () => watchTables(t.product.parts)
const drops = () => readAlerts(t, 'table_drop_detected')

/** Captured and seen, as after some minutes of running. */
async function start(): Promise<void> {
  t = await startTestProduct({ seedSql: SEED, environment: QUIET })
  await untilFirstRound(t, 7)
  await untilFirstLook(t)
}

/** The command of an alert, run as an operator would paste it. */
async function runAdvice({ recommended_action: action }: SeenAlert): Promise<string> {
  const line = action.slice(action.indexOf('backstop recover'))
  const env = {
    ...process.env,
    BACKSTOP_STORAGE_URL: `file://${t.folder}/storage`,
    BACKSTOP_DB_URL: t.db.url,
    PROGRAM,
  }
  const script = `${line.replace(/^backstop/, `"${process.execPath}" "$PROGRAM"`)} --yes`
  return (await promisify(execFile)('sh', ['-c', script], { env })).stdout
}

test('a table dropped past the gate is told once, with the point and a command that brings it back', async () => {
  await start()
  await t.db.run('DROP TABLE orders; DROP TABLE "Odd Name"')
  await look()
  await look()
  const found = await drops()
  expect(found.map(({ table_name }) => table_name).toSorted()).toEqual(['public.Odd Name', 'public.orders'])
  const orders = found.find(({ table_name }) => table_name === 'public.orders') as SeenAlert
  expect(orders).toMatchObject({
    severity: 'critical',
    state: 'raised',
    facts: { recoveryPointAvailable: true, rows: 20, snapshotId: expect.stringMatching(/^snap_/) },
  })
  expect(orders.facts['snapshotAgeSeconds']).toEqual(expect.any(Number))
  expect(JSON.parse(orders.payload_json)).toMatchObject({ event_type: 'table_drop_detected', state: 'raised' })
  expect(await readMetrics(t)).toContain('backstop_sync_dropped_tables_total 2')
  for (const alert of found) await runAdvice(alert)
  expect(await t.db.run('SELECT count(*)::int AS n FROM orders_recovered')).toEqual([{ n: 20 }])
  expect(await t.db.run('SELECT count(*)::int AS n FROM "Odd Name_recovered"')).toEqual([{ n: 1 }])
  await t.db.run('ALTER TABLE orders_recovered RENAME TO orders')
  await look()
  expect(await untilAlert(t, 'table_drop_detected', ({ state }) => state === 'resolved')).toMatchObject({
    title: expect.stringMatching(/^Over: /),
    facts: { table: 'public.orders', resolves: orders.id },
  })
})

test('what an operator approved is no alarm, and a rename, a detached partition or a move is none either', async () => {
  await start()
  const held = await t.query('DROP TABLE orders')
  await t.call('operator', 'POST', `/approve/${held.approval_id}`)
  expect(await t.query('DROP TABLE orders')).toMatchObject({ status: 'executed' })
  const cascade = await t.query('DROP TABLE parted')
  await t.call('operator', 'POST', `/approve/${cascade.approval_id}`)
  expect(await t.query('DROP TABLE parted')).toMatchObject({ status: 'executed' })
  await t.db.run('ALTER TABLE other RENAME TO another; ALTER TABLE "Odd Name" SET SCHEMA stock; TRUNCATE another')
  await look()
  expect(await drops()).toEqual([])
  const approved = await readAlerts(t, 'table_drop_approved')
  expect(approved.map(({ table_name }) => table_name).toSorted()).toEqual([
    'public.orders',
    'public.part_one',
    'public.part_two',
    'public.parted',
  ])
  expect(approved.every(({ severity }) => severity === 'info')).toBe(true)
  expect(await readMetrics(t)).toContain('backstop_sync_dropped_tables_total 0')
})

test('a partition that is detached is still there, one that is dropped is not', async () => {
  await start()
  await t.db.run('ALTER TABLE parted DETACH PARTITION part_one; DROP TABLE part_two')
  await look()
  expect((await drops()).map(({ table_name }) => table_name)).toEqual(['public.part_two'])
})

test('a schema that goes with its tables is one alert; another table under an old name is a warning', async () => {
  await start()
  await t.db.run('DROP SCHEMA stock CASCADE; DROP TABLE other; CREATE TABLE other (id int)')
  await look()
  const found = await drops()
  expect(found.map(({ severity, facts }) => [severity, facts['tableCount'] ?? facts['table']]).toSorted()).toEqual([
    ['critical', 2],
    ['warning', 'public.other'],
  ])
  expect(found.find(({ severity }) => severity === 'critical')?.facts).toMatchObject({
    schema: 'stock',
    tables: ['stock.a', 'stock.b'],
    recoveryPointAvailable: true,
  })
})

test('a table that was dropped while nobody looked is told at the next start, once', async () => {
  await start()
  await t.product.stop()
  await t.db.run('DROP TABLE orders')
  t = await t.restart()
  await untilAlert(t, 'table_drop_detected', ({ table_name }) => table_name === 'public.orders')
  t = await t.restart()
  await look()
  expect(await drops()).toHaveLength(1)
})

test('tables outside the list of what is captured come and go as they like', async () => {
  t = await startTestProduct({ seedSql: SEED, environment: { ...QUIET, BACKSTOP_SNAPSHOT_TABLES: 'orders' } })
  await untilFirstLook(t)
  await t.db.run('DROP TABLE other')
  await look()
  expect(await drops()).toEqual([])
  await t.db.run('DROP TABLE orders')
  await look()
  expect((await drops()).map(({ table_name }) => table_name)).toEqual(['public.orders'])
})

/** As the superuser, in another database of the cluster. */
async function outside(...statements: readonly string[]): Promise<void> {
  const url = new URL(t.db.url)
  url.pathname = '/postgres'
  const client = new Client({ connectionString: url.href })
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}

test('a database that cannot be reached has dropped nothing; another one in its place is told as a whole', async () => {
  await start()
  await outside(`DROP DATABASE ${t.db.name} WITH (FORCE)`)
  const refused = await eventually(() =>
    look().then(
      () => undefined,
      ({ code }) => code as string,
    ),
  )
  expect(refused).toBe('DATABASE_UNREACHABLE')
  expect(await readAlerts(t)).not.toContainEqual(expect.objectContaining({ event_type: 'table_drop_detected' }))
  await outside(`CREATE DATABASE ${t.db.name}`)
  await look()
  await look()
  expect(await readAlerts(t, 'database_replaced')).toMatchObject([
    { severity: 'critical', facts: { tableCount: 8, tables: expect.arrayContaining(['public.orders', 'stock.a']) } },
  ])
  expect(await drops()).toEqual([])
})
