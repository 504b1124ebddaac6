/** A round split into a plan and single captures, as separate processes carry it out. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { displayRelation } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import type { CaptureOrder } from '#lib/recovery/index.ts'
import { decodeCaptureOrder } from '#lib/recovery/index.ts'
import { eventually } from '#test/support/eventually.ts'
import type { FixedClock } from '#test/support/fixed-clock.ts'
import { createFixedClock, FIXED_START_MS } from '#test/support/fixed-clock.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'
import { wrappedStore } from '#test/support/recovery/wrapped-store.ts'

const POLICY = { allowedTables: [], minimumAgeMs: 60_000 }
const A = { schema: 'public', name: 'a' }
let db: TestDatabase
let slice: TestRecovery
let clock: FixedClock

beforeEach(async () => {
  db = await createTestDatabase('CREATE TABLE a (v integer); INSERT INTO a VALUES (1); CREATE TABLE b (v integer)')
  clock = createFixedClock()
  slice = await openTestRecovery(db.database, { clock })
})

afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

/** Another process: the same stores under another clock or object store. */
const another = (options: Parameters<typeof openTestRecovery>[1] = {}) =>
  openTestRecovery(db.database, { clock, folder: slice.folder, ...options })

async function orderFor(name: string): Promise<CaptureOrder> {
  const { captures } = await slice.recovery.planRound(POLICY)
  const order = captures.find(({ relation }) => relation.name === name)
  if (order === undefined) throw new Error(`nothing was ordered for ${name}`)
  return order
}

async function pointCount(name: string): Promise<number> {
  return (await slice.recovery.list({ relation: { schema: 'public', name } })).points.length
}

test('a plan orders what needs a copy and copies nothing', async () => {
  const plan = await slice.recovery.planRound(POLICY)
  expect(plan.captures.map(({ relation, because }) => [displayRelation(relation), because])).toEqual([
    ['public.a', 'no-point'],
    ['public.b', 'no-point'],
  ])
  expect((await slice.recovery.list()).points).toEqual([])
  expect(await slice.recovery.findHeartbeat()).toEqual({
    at: '2027-01-15T08:00:00.000Z',
    isHealthy: true,
    detail: '2 ordered, 0 unchanged, 0 kept',
  })
})

test('an order survives a queue as JSON, and one that is malformed is refused by its field', async () => {
  const order = await orderFor('a')
  expect(decodeCaptureOrder(JSON.parse(JSON.stringify(order)))).toEqual(order)
  expect(() => decodeCaptureOrder({ ...order, relation: 'a' })).toThrow(/malformed: relation/)
  expect(() => decodeCaptureOrder(undefined)).toThrow(/malformed: the whole/)
})

test('two plans of one need give orders of one key; after the capture there is no order', async () => {
  const [first, second] = await Promise.all([slice.recovery.planRound(POLICY), slice.recovery.planRound(POLICY)])
  expect(first?.captures).toHaveLength(2)
  expect(second?.captures).toEqual(first?.captures)
  for (const order of first?.captures ?? []) await slice.recovery.captureOne(order)
  expect((await slice.recovery.planRound(POLICY)).captures).toEqual([])
})

test('an order that is delivered again, or late from an older plan, copies nothing', async () => {
  const order = await orderFor('a')
  clock.advance(61_000)
  const later = await orderFor('a')
  expect(later.dedupeKey).not.toBe(order.dedupeKey)
  const done = await slice.recovery.captureOne(order)
  expect(done).toMatchObject({ status: 'captured', point: { rowCount: 1 } })
  expect(await slice.recovery.captureOne(order)).toMatchObject({ status: 'fresh' })
  expect(await slice.recovery.captureOne(later)).toMatchObject({ status: 'fresh' })
  clock.advance(600_000)
  expect(await slice.recovery.captureOne(order)).toMatchObject({ status: 'fresh' })
  expect(await pointCount('a')).toBe(1)
})

test('of several workers on one table one copies it', async () => {
  const order = await orderFor('a')
  const workers = await Promise.all([another(), another(), another()])
  const outcomes = await Promise.all(workers.map(({ recovery }) => recovery.captureOne(order)))
  expect(outcomes.filter(({ status }) => status === 'captured')).toHaveLength(1)
  expect(outcomes.filter(({ status }) => status === 'busy' || status === 'fresh')).toHaveLength(2)
  expect(await pointCount('a')).toBe(1)
  for (const worker of workers) await worker.close()
})

test('while a worker copies a table, a plan leaves it to that worker', async () => {
  const order = await orderFor('a')
  const held = Promise.withResolvers<void>()
  const holding = (objects: ObjectStore) =>
    wrappedStore(objects, {
      openUpload: async (key, options) => {
        await held.promise
        return await objects.openUpload(key, options)
      },
    })
  const worker = await another({ wrapObjects: holding })
  const work = worker.recovery.captureOne(order)
  const plan = await eventually(async () => {
    const next = await slice.recovery.planRound(POLICY)
    return next.captures.length === 1 ? next : undefined
  })
  expect(plan.kept).toEqual([{ relation: A, reason: 'being-captured' }])
  expect(await slice.recovery.captureOne(order)).toMatchObject({ status: 'busy' })
  held.resolve()
  expect(await work).toMatchObject({ status: 'captured' })
  await worker.close()
})

test('a table that failed still fails while another process tries it again', async () => {
  await db.run('INSERT INTO b VALUES (1)')
  const breaking = await another({
    wrapObjects: (objects) => wrappedStore(objects, { openUpload: () => Promise.reject(new Error('away')) }),
  })
  for (const name of ['a', 'b']) {
    expect(await breaking.recovery.captureOne(await orderFor(name))).toMatchObject({ status: 'failed' })
  }
  const orderOfB = await orderFor('b')
  const [ofA, ofB] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const reached = Promise.withResolvers<void>()
  const holding = (until: Promise<void>) => (objects: ObjectStore) =>
    wrappedStore(objects, {
      openUpload: async (key, options) => {
        reached.resolve()
        await until
        return await objects.openUpload(key, options)
      },
    })
  const rounds = await another({ wrapObjects: holding(ofA.promise) })
  const round = rounds.recovery.runRound(POLICY)
  await reached.promise
  const worker = await another({ wrapObjects: holding(ofB.promise) })
  const work = worker.recovery.captureOne(orderOfB)
  await eventually(async () => (await slice.recovery.planRound(POLICY)).captures.length === 0 || undefined)
  ofA.resolve()
  expect(await round).toMatchObject({
    captured: [{ relation: A }],
    kept: [{ relation: { name: 'b' }, reason: 'being-captured' }],
    failed: [{ relation: { name: 'b' }, times: 1 }],
  })
  ofB.resolve()
  expect(await work).toMatchObject({ status: 'captured' })
  for (const one of [breaking, rounds, worker]) await one.close()
})

test('a worker that died in the middle shows in the heartbeat, and the table is ordered again', async () => {
  const order = await orderFor('a')
  // By a clock of its own, which stands still: it lives on in this process, and renews its lease every ten seconds.
  const worker = await another({
    clock: createFixedClock(clock.nowMs()),
    wrapObjects: (objects) => wrappedStore(objects, { openUpload: () => new Promise(() => {}) }),
  })
  void worker.recovery.captureOne(order)
  await eventually(async () => (await slice.recovery.planRound(POLICY)).captures.length === 1 || undefined)
  clock.advance(31_000)
  const plan = await slice.recovery.planRound(POLICY)
  expect(plan.captures.map(({ relation }) => relation.name)).toContain('a')
  expect(plan.failing).toMatchObject([{ relation: A, code: 'CAPTURE_LOST' }])
  expect(await slice.recovery.findHeartbeat()).toMatchObject({
    isHealthy: false,
    detail: '2 ordered, 0 unchanged, 0 kept, 1 failed: public.a',
  })
  expect(await slice.recovery.captureOne(await orderFor('a'))).toMatchObject({ status: 'captured' })
  expect((await slice.recovery.planRound(POLICY)).failing).toEqual([])
  expect(await slice.recovery.findHeartbeat()).toMatchObject({ isHealthy: true })
})

test('a failure in another process makes every plan unhealthy until a capture succeeds, whoever takes it', async () => {
  const order = await orderFor('a')
  const failing = (objects: ObjectStore) =>
    wrappedStore(objects, { openUpload: () => Promise.reject(new Error('secret value 42')) })
  const worker = await another({ wrapObjects: failing })
  expect(await worker.recovery.captureOne(order)).toMatchObject({
    status: 'failed',
    times: 1,
    failure: { relation: A },
  })
  expect(await worker.recovery.captureOne(order)).toMatchObject({ status: 'failed', times: 2 })
  const plan = await slice.recovery.planRound(POLICY)
  expect(plan.failing).toMatchObject([{ relation: A, code: 'Error' }])
  expect(JSON.stringify(plan.failing)).not.toContain('42')
  expect(await slice.recovery.findHeartbeat()).toMatchObject({ isHealthy: false })
  clock.advance(1_000)
  await slice.recovery.capture(A, 'manual')
  expect((await slice.recovery.planRound(POLICY)).failing).toEqual([])
  await worker.close()
})

test('a table that is dropped between plan and capture is gone, and no failure', async () => {
  const order = await orderFor('a')
  await db.run('DROP TABLE a')
  expect(await slice.recovery.captureOne(order)).toEqual({ status: 'gone' })
  expect((await slice.recovery.planRound(POLICY)).failing).toEqual([])
})

test('a table that the role may not read fails with what to grant', async () => {
  await db.run(`CREATE ROLE "reader_${db.name}" LOGIN PASSWORD 'x'; GRANT SELECT ON b TO "reader_${db.name}"`)
  const database = openPostgres({ url: db.urlAs(`reader_${db.name}`, 'x') })
  const limited = await openTestRecovery(database, { clock, folder: slice.folder })
  const report = await limited.recovery.runRound(POLICY)
  expect(report.captured.map(({ relation }) => relation.name)).toEqual(['b'])
  expect(report.failed).toMatchObject([
    { relation: A, code: 'TABLE_UNREADABLE', reason: expect.stringMatching(/permission denied/) },
  ])
  await limited.close()
  await database.close()
  await db.run(`DROP OWNED BY "reader_${db.name}"; DROP ROLE "reader_${db.name}"`)
})

test('a clock that is set back neither starves a table nor copies it over and over', async () => {
  await slice.recovery.runRound(POLICY)
  const back = await another({ clock: createFixedClock(FIXED_START_MS - 3_600_000) })
  const plan = await back.recovery.planRound(POLICY)
  const order = plan.captures.find(({ relation }) => relation.name === 'a')
  if (order === undefined) throw new Error('nothing was ordered')
  expect(await back.recovery.captureOne(order)).toMatchObject({ status: 'captured' })
  expect(await back.recovery.captureOne(order)).toMatchObject({ status: 'fresh' })
  expect((await back.recovery.planRound(POLICY)).captures.map(({ relation }) => relation.name)).toEqual(['b'])
  await back.close()
})

test('a point that was set aside after its order was done does not count as done', async () => {
  const order = await orderFor('a')
  const done = await slice.recovery.captureOne(order)
  if (done.status !== 'captured') throw new Error(done.status)
  await slice.recovery.quarantine(done.point.snapshotId, 'for the test')
  expect(await slice.recovery.captureOne(order)).toMatchObject({ status: 'captured' })
})

test('a damaged point is set aside by the plan and its table ordered at once', async () => {
  await slice.recovery.runRound(POLICY)
  const point = await slice.recovery.findNewestValid(A)
  const { manifest } = await slice.recovery.readManifest(point?.snapshotId ?? 'snap_')
  await slice.objects.put(point?.manifestKey ?? '', new TextEncoder().encode('{}'))
  const plan = await slice.recovery.planRound(POLICY)
  expect(plan.quarantined).toMatchObject([{ snapshotId: manifest.snapshotId, relation: A }])
  expect(plan.captures).toMatchObject([{ relation: A, because: 'no-point' }])
})

test('tables whose points are too old make the heartbeat unhealthy', async () => {
  await slice.recovery.runRound(POLICY)
  clock.advance(400_000)
  await db.run('INSERT INTO a VALUES (2)')
  const plan = await slice.recovery.planRound({ ...POLICY, overdueAfterMs: 300_000 })
  expect(plan.overdue.map(displayRelation)).toEqual(['public.a', 'public.b'])
  expect((await slice.recovery.findHeartbeat())?.detail).toMatch(/, 2 overdue: public\.a, public\.b$/)
  expect(await slice.recovery.findHeartbeat()).toMatchObject({ isHealthy: false })
})
