/** A large table captured by workers that get their orders from a queue, as in a cloud: one manifest, whatever becomes of orders. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { parquet } from '#lib/adapters/parquet/index.ts'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import type { JsonObject } from '#lib/kernel/index.ts'
import type { Database, ObjectStore } from '#lib/ports/index.ts'
import { carryOutRange, decodeRangeWork, type FanOutPorts, fanOutHelpers } from '#lib/recovery/index.ts'
import { eventually } from '#test/support/eventually.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'
import { wrappedStore } from '#test/support/recovery/wrapped-store.ts'

const ROWS = 20_000
const FROM_BYTES = 8 * 1_048_576

let db: TestDatabase
/** The workers' own connections. */
let workerDatabase: Database
let slice: TestRecovery

beforeAll(async () => {
  db = await createTestDatabase(`CREATE TABLE orders AS
    SELECT i AS id, (i % 977)::numeric(10,2) AS price, repeat(md5(i::text), 20) AS body FROM generate_series(1, ${ROWS}) i`)
  workerDatabase = openPostgres({ url: db.url, applicationName: 'backstop-part' })
})
afterAll(async () => {
  await workerDatabase?.close()
  await db?.drop()
})
beforeEach(async () => {
  slice = await openTestRecovery(db.database, { clock: systemClock })
  return () => slice.close()
})

type Delivery = (body: JsonObject, index: number) => Promise<unknown> | undefined

interface How {
  readonly patienceMs?: number
  /** The coordinator stores nothing of its own before so many orders are sent: it could be done first. */
  readonly ordersFirst?: number
}

/** The order goes through JSON, as on any queue; `deliver` does with it what the queue and its workers do. */
async function capture(name: string, deliver: Delivery, { patienceMs = 60_000, ordersFirst = 0 }: How = {}) {
  const deliveries: Promise<unknown>[] = []
  const failures: unknown[] = []
  const bodies: JsonObject[] = []
  const send: FanOutPorts['send'] = async (_work, body) => {
    const sent = JSON.parse(JSON.stringify(body)) as JsonObject
    bodies.push(sent)
    const delivery = deliver(sent, bodies.length)
    if (delivery !== undefined) deliveries.push(delivery)
  }
  const ports = { records: slice.records, clock: systemClock, random: systemRandom, send }
  const helpers = fanOutHelpers(
    { ...ports, noteFailure: (error) => void failures.push(error) },
    { workers: 3, fromBytes: FROM_BYTES, patienceMs, lookEveryMs: 10 },
  )
  const wrapObjects = (objects: ObjectStore) =>
    wrappedStore(objects, {
      openUpload: async (key, options) => {
        await eventually(() => bodies.length >= ordersFirst, { what: 'the orders' })
        return await objects.openUpload(key, options)
      },
    })
  const place = { folder: slice.folder, clock: systemClock }
  const coordinator = await openTestRecovery(db.database, { ...place, helpers, wrapObjects })
  const point = await coordinator.recovery.capture({ schema: 'public', name }, 'manual')
  const { manifest } = await coordinator.recovery.readManifest(point.snapshotId)
  const outcomes = await Promise.all(deliveries)
  await coordinator.close()
  return { manifest, outcomes, failures, bodies }
}

const worker = (objects = slice.objects) => ({
  database: workerDatabase,
  objects,
  records: slice.records,
  columnar: parquet,
  clock: systemClock,
  random: systemRandom,
})
const carryOut = (body: JsonObject, objects = slice.objects) => carryOutRange(worker(objects), decodeRangeWork(body))

async function partsInStore(): Promise<string[]> {
  const { objects } = await slice.objects.list('snapshots/')
  return objects.map(({ key }) => key).filter((key) => key.endsWith('.parquet'))
}

async function expectWhole(manifest: Awaited<ReturnType<typeof capture>>['manifest'], rows = ROWS) {
  expect(manifest.content.rowCount).toBe(rows)
  expect(await partsInStore()).toEqual(manifest.parts.map(({ key }) => key))
  const { schema, name } = manifest.relation
  const target = { schema, name: `${name}_${manifest.snapshotId.slice(-8)}` }
  await slice.recovery.rebuildCatalog()
  await slice.recovery.restore({ snapshotId: manifest.snapshotId, target })
  const different = await db.run(`SELECT count(*)::integer AS n FROM (
    (TABLE ${name} EXCEPT ALL TABLE ${target.name}) UNION ALL (TABLE ${target.name} EXCEPT ALL TABLE ${name})) d`)
  expect(different).toEqual([{ n: 0 }])
}

test('workers and the coordinator capture one table together', async () => {
  const alone = await openTestRecovery(db.database)
  const point = await alone.recovery.capture({ schema: 'public', name: 'orders' }, 'manual')
  const whole = (await alone.recovery.readManifest(point.snapshotId)).manifest
  await alone.close()
  const { manifest, outcomes, failures } = await capture('orders', (body) => carryOut(body), { ordersFirst: 4 })
  expect(failures).toEqual([])
  expect(outcomes.length).toBeGreaterThan(3)
  for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'captured' })
  expect(manifest.content).toEqual(whole.content)
  await expectWhole(manifest)
})

test('an order that is delivered twice, at once and later, is carried out once', async () => {
  const { manifest, outcomes, bodies } = await capture('orders', (body) =>
    Promise.all([carryOut(body), carryOut(body)]).then((both) => both.map(({ status }) => status).sort()),
  )
  for (const both of outcomes) expect(both).toEqual(['captured', 'stale'])
  expect(await Promise.all(bodies.map((body) => carryOut(body)))).toEqual(
    bodies.map(() => ({ status: 'stale', rowCount: 0 })),
  )
  await expectWhole(manifest)
})

test('orders that nobody answers are withdrawn, and their ranges captured by the coordinator', async () => {
  const late: (() => Promise<unknown>)[] = []
  const { manifest, failures } = await capture('orders', (body) => void late.push(() => carryOut(body)), {
    patienceMs: 50,
  })
  expect(failures).toHaveLength(3)
  for (const failure of failures) expect(failure).toMatchObject({ code: 'RANGE_NOT_CAPTURED' })
  expect(late.length).toBeGreaterThan(0)
  for (const deliver of late) expect(await deliver()).toEqual({ status: 'stale', rowCount: 0 })
  await expectWhole(manifest)
})

test('a worker that was overtaken while it captured takes its parts back', async () => {
  const slow = wrappedStore(slice.objects, {
    openUpload: async (key, options) => {
      // Until the coordinator has withdrawn the order and done without it.
      await eventually(async () => {
        const { objects } = await slice.objects.list('snapshots/')
        return objects.some((one) => one.key.endsWith('manifest.json'))
      })
      return await slice.objects.openUpload(key, options)
    },
  })
  const { manifest, outcomes } = await capture('orders', (body) => carryOut(body, slow), { patienceMs: 200 })
  expect(outcomes.length).toBeGreaterThan(0)
  for (const outcome of outcomes) expect(outcome).toEqual({ status: 'stale', rowCount: 0 })
  await expectWhole(manifest)
})

test('a worker that fails says so at once, and the capture goes on', async () => {
  const broken = wrappedStore(slice.objects, {
    openUpload: async () => {
      throw new Error('no space')
    },
  })
  const { manifest, outcomes, failures } = await capture('orders', (body, index) =>
    carryOut(body, index === 2 ? broken : slice.objects),
  )
  expect(outcomes.filter((outcome) => (outcome as { status: string }).status === 'failed')).toHaveLength(1)
  expect(failures).toHaveLength(1)
  await expectWhole(manifest)
})

test('a value that does not fit in the range of a worker widens the column for all', async () => {
  await db.run(`CREATE TABLE priced AS TABLE orders; UPDATE priced SET price = 'NaN' WHERE id = 15000`)
  const { manifest } = await capture('priced', (body) => carryOut(body))
  expect(manifest.content.columns[1]).toMatchObject({ name: 'price', encoding: { kind: 'numeric' } })
  await expectWhole(manifest)
})

test('an order whose snapshot is gone does nothing, and one that is no order is refused', async () => {
  const { bodies } = await capture('orders', (body) => carryOut(body))
  const before = await partsInStore()
  const [body] = bodies
  const again = { ...body, orderId: '0'.repeat(32) }
  expect(await carryOut(again)).toEqual({ status: 'stale', rowCount: 0 })
  expect(await partsInStore()).toEqual(before)
  expect(() => decodeRangeWork({ ...body, snapshotName: 7 })).toThrow(
    expect.objectContaining({ code: 'CAPTURE_ORDER_INVALID', message: expect.stringContaining('snapshotName') }),
  )
})
