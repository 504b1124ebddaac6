/** Recovery on a bucket whose HTTP has bad days: nothing invalid is offered, nothing valid lost, and the next round heals. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { type Fault, type FaultProxy, startFaultProxy } from '#test/support/cloud/fault-proxy.ts'
import { makeBucket, type TestBucket } from '#test/support/cloud/s3.ts'
import {
  invalidOffers,
  type KnownPoint,
  knownPoint,
  listAll,
  lostPoints,
  unhealed,
} from '#test/support/fault/promise.ts'
import { createFixedClock, type FixedClock } from '#test/support/fixed-clock.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'
import { openTestRecovery, type TestRecovery } from '#test/support/recovery/open.ts'

const T = { schema: 'public', name: 't' } as const
const POLICY = { allowedTables: [], minimumAgeMs: 0 }
const PUT = /^PUT .*x-id=PutObject/
const GET = /^GET .*x-id=GetObject/

let db: TestDatabase
let proxy: FaultProxy
let bucket: TestBucket
let folder: string
let slice: TestRecovery
let known: KnownPoint
let clock: FixedClock

beforeAll(async () => {
  db = await createTestDatabase(
    'CREATE TABLE t (id int PRIMARY KEY, body text); INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, 300) i',
  )
})
afterAll(() => db.drop())
beforeEach(async () => {
  proxy = await startFaultProxy({ upstream: inject('cloudEndpoint') })
  bucket = await makeBucket(inject('cloudEndpoint'))
  folder = mkdtempSync(join(tmpdir(), 'backstop-s3-fault-'))
  const store = bucket.store({ endpoint: proxy.endpoint, attempts: 2 })
  clock = createFixedClock()
  slice = await openTestRecovery(db.database, { folder, clock, wrapObjects: () => store })
  known = await knownPoint({ recovery: slice.recovery, db }, T)
  await db.run(`UPDATE t SET body = body || 'x' WHERE id <= 100`)
})
afterEach(async () => {
  await slice.close()
  await proxy.close()
  rmSync(folder, { recursive: true, force: true })
})

const DAYS: readonly (readonly [string, RegExp, Fault])[] = [
  ['503 for every write', PUT, { kind: 'throttle' }],
  ['500 for every write', PUT, { kind: 'error', status: 500, name: 'InternalError' }],
  ['507, the disk is full', PUT, { kind: 'error', status: 507, name: 'XMinioStorageFull' }],
  ['403 for every write', PUT, { kind: 'error', status: 403, name: 'AccessDenied' }],
  ['resets before writes', PUT, { kind: 'reset-before' }],
  ['resets after writes, which were done', PUT, { kind: 'reset-after' }],
  ['answers that end in the middle', GET, { kind: 'truncate' }],
  ['503 for every read', GET, { kind: 'throttle' }],
]

describe('a bucket that answers with', () => {
  it.each(DAYS)('%s', async (_name, operation, fault) => {
    const looked = { recovery: slice.recovery, db }
    const mend = proxy.add({ service: 's3', operation, fault })
    const report = await slice.recovery.runRound(POLICY).catch((error: { code: string }) => error)
    expect(proxy.calls.some((call) => call.fault !== undefined)).toBe(true)
    const heartbeat = await slice.recovery.findHeartbeat()
    mend()
    const taken = 'captured' in report ? report.captured.length : 0
    // A connection that breaks after the work was done may leave a point that is whole; then nothing has failed.
    if (taken === 0) expect(heartbeat?.isHealthy).toBe(false)
    const before = (await listAll(slice.recovery)).map(({ snapshotId }) => snapshotId)
    expect(await invalidOffers(looked)).toEqual([])
    expect(await lostPoints(looked, [known])).toEqual([])
    await db.run(`UPDATE t SET body = body || 'y' WHERE id = 1`)
    clock.advance(600_000)
    await slice.recovery.runRound(POLICY)
    expect(await unhealed(looked, T, before)).toEqual([])
    expect((await slice.recovery.findHeartbeat())?.isHealthy).toBe(true)
  })
})
