/** A capture that cannot end in time is stopped: on the server, in the store and in what it says. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ObjectStore } from '#lib/ports/index.ts'
import type { CaptureOrder } from '#lib/recovery/index.ts'
import { eventually } from '#test/support/eventually.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'
import { wrappedStore } from '#test/support/recovery/wrapped-store.ts'

const ORDER: CaptureOrder = {
  relation: { schema: 'public', name: 'big' },
  relationOid: 0,
  origin: 'schedule',
  because: 'changed',
  minimumAgeMs: 0,
  dedupeKey: 'capture-of-the-test',
}
let db: TestDatabase
let slice: TestRecovery

beforeAll(async () => {
  db = await createTestDatabase(
    'CREATE TABLE big AS SELECT i AS id, repeat(md5(i::text), 20) AS body FROM generate_series(1, 60000) i',
  )
})
afterAll(() => db?.drop())
beforeEach(async () => {
  slice = await openTestRecovery(db.database)
})
afterEach(() => slice?.close())

/** For the server and the store to take everything back, on a machine that stands still for seconds. */
const PATIENT = { graceMs: 60_000 }
const timeUp = () => AbortSignal.abort(new DOMException('the time is over', 'TimeoutError'))
const OTHERS = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND query ILIKE '%big%'`

/** Aborts the signal when the capture calls the named method for the first time. */
function abortAt(method: 'openUpload' | 'write', reason: unknown) {
  const controller = new AbortController()
  const wrapObjects = (objects: ObjectStore) =>
    wrappedStore(objects, {
      openUpload: async (key, options) => {
        if (method === 'openUpload') controller.abort(reason)
        const upload = await objects.openUpload(key, options)
        const write = (chunk: Uint8Array) => {
          controller.abort(reason)
          return upload.write(chunk)
        }
        return { write, commit: () => upload.commit(), abort: () => upload.abort() }
      },
    })
  return { wrapObjects, signal: controller.signal }
}

test.for(['openUpload', 'write'] as const)('time that is up at %s leaves nothing behind', async (method) => {
  const { wrapObjects, signal } = abortAt(method, new DOMException('the time is over', 'TimeoutError'))
  const worker = await openTestRecovery(db.database, { folder: slice.folder, wrapObjects })
  const outcome = await worker.recovery.captureOne(ORDER, { ...PATIENT, signal })
  expect(outcome).toMatchObject({
    status: 'failed',
    failure: {
      code: 'TABLE_TOO_LARGE_FOR_RUN',
      reason: 'the time of the run was too short for public.big; nothing of it was kept',
    },
  })
  expect(outcome).not.toHaveProperty('leftover')
  expect(await slice.recovery.scan()).toEqual({ points: [], problems: [], objectCount: 0 })
  await eventually(async () => (await db.run(OTHERS)).length === 0 || undefined)
  await worker.close()
})

test('a statement that the server has not answered is cancelled there', async () => {
  await db.run('CREATE TABLE held (v integer)')
  const blocked = db.database.withDedicatedSession(async (session) => {
    await session.execute('BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE')
    const order = { ...ORDER, relation: { schema: 'public', name: 'held' } }
    const controller = new AbortController()
    const work = slice.recovery.captureOne(order, { ...PATIENT, signal: controller.signal })
    const findWaiting = () => db.run(`SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'held'::regclass`)
    await eventually(async () => (await findWaiting()).length > 0, { what: 'the capture to wait for its lock' })
    controller.abort(new DOMException('the time is over', 'TimeoutError'))
    return { outcome: await work, waiting: await findWaiting() }
  })
  expect(await blocked).toMatchObject({
    outcome: { status: 'failed', failure: { code: 'TABLE_TOO_LARGE_FOR_RUN' } },
    waiting: [],
  })
})

test('a run that is stopped for another reason says so, and one that is over before it begins does not begin', async () => {
  const { wrapObjects, signal } = abortAt('openUpload', new Error('the process ends'))
  const worker = await openTestRecovery(db.database, { folder: slice.folder, wrapObjects })
  expect(await worker.recovery.captureOne(ORDER, { ...PATIENT, signal })).toMatchObject({
    failure: { code: 'RUN_STOPPED' },
  })
  expect(await slice.recovery.captureOne(ORDER, { ...PATIENT, signal: timeUp() })).toMatchObject({
    failure: { code: 'TABLE_TOO_LARGE_FOR_RUN' },
  })
  expect((await slice.recovery.scan()).objectCount).toBe(0)
  await worker.close()
})

test('a store that hangs does not keep the run: what may be left is named', async () => {
  const controller = new AbortController()
  const wrapObjects = (objects: ObjectStore) =>
    wrappedStore(objects, {
      openUpload: () => {
        controller.abort(new DOMException('the time is over', 'TimeoutError'))
        return new Promise(() => {})
      },
    })
  const worker = await openTestRecovery(db.database, { folder: slice.folder, wrapObjects })
  const outcome = await worker.recovery.captureOne(ORDER, { signal: controller.signal, graceMs: 200 })
  expect(outcome).toMatchObject({
    status: 'failed',
    leftover: expect.stringMatching(/^snapshots\/public\/big\/snap_[0-9a-f]{32}\/$/),
    failure: { code: 'TABLE_TOO_LARGE_FOR_RUN', reason: expect.stringContaining('may hold parts of it') },
  })
  await worker.close()
})

test('a signal that never fires changes nothing', async () => {
  const { signal } = new AbortController()
  expect(await slice.recovery.captureOne(ORDER, { signal })).toMatchObject({
    status: 'captured',
    point: { rowCount: 60_000 },
  })
})
