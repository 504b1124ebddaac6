/** Recovery over DynamoDB and S3, as several functions at once carry it out. */
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { openDynamoRecordStore } from '#lib/adapters/aws/index.ts'
import { parquet } from '#lib/adapters/parquet/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import type { Clock, ObjectStore } from '#lib/ports/index.ts'
import { type CaptureOrder, decodeCaptureOrder, openRecovery, type Recovery } from '#lib/recovery/index.ts'
import { accountSettings, createTestTable, type TestTable } from '#test/support/cloud/dynamo.ts'
import { makeBucket, type TestBucket } from '#test/support/cloud/s3.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'
import { wrappedStore } from '#test/support/recovery/wrapped-store.ts'

const POLICY = { allowedTables: [], minimumAgeMs: 600_000 }
const ORDERS = { schema: 'public', name: 'orders' }
const ALL = { budgetBytes: 1_000_000_000, maxPoints: 100 }
let db: TestDatabase
let bucket: TestBucket
let table: TestTable

beforeAll(async () => {
  db = await createTestDatabase(`
    CREATE TABLE orders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
    INSERT INTO orders (note) SELECT md5(i::text) FROM generate_series(1, 2000) i;
    CREATE TABLE big AS SELECT i AS id, md5(i::text) || md5((i + 1)::text) AS body FROM generate_series(1, 800000) i`)
  bucket = await makeBucket(inject('cloudEndpoint'))
  table = await createTestTable(accountSettings(inject('cloudEndpoint')))
})

afterAll(async () => {
  await db?.drop()
})

/** One instance of a function: clients of its own on the same stores. */
function open(
  wrap: (objects: ObjectStore) => ObjectStore = (objects) => objects,
  clock: Clock = systemClock,
): Recovery {
  const records = openDynamoRecordStore({ ...table, clock })
  const shared = { clock, random: systemRandom, columnar: parquet, database: db.database }
  return openRecovery({ ...shared, records, objects: wrap(bucket.store()) })
}

test('one of several instances captures a table, however often its order comes', async () => {
  // Plans of one period see one need: no new one begins between the two.
  const nowMs = systemClock.nowMs()
  const plan = () => open(undefined, { ...systemClock, nowMs: () => nowMs }).planRound(POLICY)
  const [first, second] = await Promise.all([plan(), plan()])
  const order = first?.captures.find(({ relation }) => relation.name === 'orders')
  expect(second?.captures.map(({ dedupeKey }) => dedupeKey)).toContain(order?.dedupeKey)
  const body = JSON.parse(JSON.stringify(order))
  const outcomes = await Promise.all([1, 2, 3, 4].map(() => open().captureOne(decodeCaptureOrder(body))))
  expect(outcomes.filter(({ status }) => status === 'captured')).toHaveLength(1)
  expect(await open().captureOne(order ?? body)).toMatchObject({ status: 'fresh' })
  expect((await open().list({ relation: ORDERS })).points).toHaveLength(1)
})

test('a table that is as it was is confirmed by one of several instances, and nothing is added to the bucket', async () => {
  const [point] = (await open().list({ relation: ORDERS })).points
  const before = await bucket.keys()
  const order: CaptureOrder = {
    relation: ORDERS,
    relationOid: point?.relationOid ?? 0,
    origin: 'schedule',
    because: 'maybe-changed',
    minimumAgeMs: 0,
    dedupeKey: 'capture-compared',
  }
  const body = JSON.parse(JSON.stringify(order))
  const outcomes = await Promise.all([1, 2, 3].map(() => open().captureOne(decodeCaptureOrder(body))))
  expect(outcomes.filter(({ status }) => status === 'confirmed')).toHaveLength(1)
  expect(outcomes.filter(({ status }) => status === 'busy' || status === 'fresh')).toHaveLength(2)
  expect((await open().find(point?.snapshotId ?? 'snap_'))?.confirmedAt).toBeDefined()
  expect(await bucket.keys()).toEqual(before)
})

test('a capture whose time is up aborts its upload: neither objects nor unfinished parts stay', async () => {
  const controller = new AbortController()
  const late = open((objects) =>
    wrappedStore(objects, {
      openUpload: async (key, options) => {
        const upload = await objects.openUpload(key, options)
        let bytes = 0
        const write = async (chunk: Uint8Array) => {
          await upload.write(chunk)
          bytes += chunk.length
          // More than one part of the upload is with S3 by now.
          if (bytes > 9_000_000) controller.abort(new DOMException('the time is over', 'TimeoutError'))
        }
        return { write, commit: () => upload.commit(), abort: () => upload.abort() }
      },
    }),
  )
  const { captures } = await late.planRound(POLICY)
  const order = captures.find(({ relation }) => relation.name === 'big')
  if (order === undefined) throw new Error('nothing was ordered')
  const outcome = await late.captureOne(order, { signal: controller.signal })
  expect(outcome).toMatchObject({ status: 'failed', failure: { code: 'TABLE_TOO_LARGE_FOR_RUN' } })
  expect((await bucket.keys()).filter((key) => key.includes('/big/'))).toEqual([])
  expect(await bucket.unfinishedParts()).toBe(0)
  const next = await open().planRound(POLICY)
  expect(next.failing).toMatchObject([{ relation: { name: 'big' }, code: 'TABLE_TOO_LARGE_FOR_RUN' }])
  expect(await open().findHeartbeat()).toMatchObject({ isHealthy: false })
})

test('a drill in one instance leaves evidence that another lists', async () => {
  const drill = await open().runTableDrill({ relation: ORDERS })
  expect(drill.evidence.failure).toBeNull()
  expect(drill.evidence).toMatchObject({ result: 'ok', rowCount: 2_000 })
  expect((await open().listDrills()).drills).toEqual([drill])
  expect(await bucket.keys()).toContain(drill.key)
})

test('a part that changed in the bucket is set aside alone, and nothing is said of a bucket that is empty', async () => {
  const recovery = open()
  const sound = await recovery.capture(ORDERS, 'manual')
  const damaged = await recovery.capture(ORDERS, 'manual')
  expect(await recovery.verifyPoints(ALL)).toMatchObject({ checked: 3, corrupt: [] })
  const { manifest } = await recovery.readManifest(damaged.snapshotId)
  const key = manifest.parts[0]?.key ?? ''
  await bucket.client.send(new PutObjectCommand({ Bucket: bucket.name, Key: key, Body: 'something else' }))
  const report = await open().verifyPoints(ALL)
  expect(report).toMatchObject({ checked: 3, corrupt: [{ snapshotId: damaged.snapshotId }] })
  expect((await recovery.find(sound.snapshotId))?.status).toBe('valid')
  const other = await makeBucket(inject('cloudEndpoint'))
  const elsewhere = await open(() => other.store()).verifyPoints(ALL)
  expect(elsewhere).toMatchObject({ checked: 0, corrupt: [], unread: 2 })
  expect((await recovery.find(sound.snapshotId))?.status).toBe('valid')
})
