/** Sets over DynamoDB and S3, ordered by one instance of a function and carried out by another. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { openDynamoRecordStore } from '#lib/adapters/aws/index.ts'
import { parquet } from '#lib/adapters/parquet/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { decodeCaptureOrder, openRecovery, type Recovery, type RoundPolicy } from '#lib/recovery/index.ts'
import { accountSettings, createTestTable, type TestTable } from '#test/support/cloud/dynamo.ts'
import { makeBucket, type TestBucket } from '#test/support/cloud/s3.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'
import { keepMovingMoney } from '#test/support/recovery/money.ts'

const NAMES = ['checking', 'savings', 'transfer']
const RELATIONS = NAMES.map((name) => ({ schema: 'public', name }))
const POLICY: RoundPolicy = {
  allowedTables: [],
  minimumAgeMs: 600_000,
  groups: [{ name: 'bank', tables: NAMES.map((name) => ({ name })) }],
}

let db: TestDatabase
let bucket: TestBucket
let table: TestTable

beforeAll(async () => {
  db = await createTestDatabase(`
    CREATE TABLE checking (id integer PRIMARY KEY, balance bigint NOT NULL);
    CREATE TABLE savings (id integer PRIMARY KEY REFERENCES checking, balance bigint NOT NULL);
    CREATE TABLE transfer (id bigserial PRIMARY KEY, account integer NOT NULL REFERENCES checking, amount bigint NOT NULL);
    INSERT INTO checking SELECT i, 1000 FROM generate_series(1, 50) i;
    INSERT INTO savings SELECT i, 0 FROM generate_series(1, 50) i`)
  bucket = await makeBucket(inject('cloudEndpoint'))
  table = await createTestTable(accountSettings(inject('cloudEndpoint')))
})

afterAll(async () => {
  await db?.drop()
})

/** One instance of a function: clients of its own on the same stores. */
function open(): Recovery {
  const records = openDynamoRecordStore({ ...table, clock: systemClock })
  const shared = { clock: systemClock, random: systemRandom, columnar: parquet, database: db.database }
  return openRecovery({ ...shared, records, objects: bucket.store() })
}

test('a group is ordered as one, captured by another instance under writers, and restored by a third', async () => {
  const plan = await open().planRound(POLICY)
  expect(plan.captures).toHaveLength(1)
  const body = JSON.parse(JSON.stringify(plan.captures[0]))
  const writers = await keepMovingMoney(db.url, { writers: 2, accounts: 50 })
  await writers.moved(20)
  const outcome = await open().captureOne(decodeCaptureOrder(body))
  await writers.moved(20)
  await writers.stop()
  expect(outcome).toMatchObject({ status: 'captured', others: [{ status: 'valid' }, { status: 'valid' }] })
  const points = await open().findNewestValidSet(RELATIONS)
  const setId = points?.[0]?.setId as `set_${string}`
  expect(await open().sets.find(setId)).toMatchObject({ status: 'valid', selection: { kind: 'tables' } })
  const report = await open().sets.restore({ setId })
  expect(report.keys).toHaveLength(2)
  const found = await db.run(
    `SELECT (SELECT sum(balance)::int FROM checking_recovered) + (SELECT sum(balance)::int FROM savings_recovered) AS total,
       (SELECT sum(balance) FROM savings_recovered) = (SELECT sum(amount) FROM transfer_recovered) AS fits`,
  )
  expect(found).toEqual([{ total: 50_000, fits: true }])
})

test('the list of a set is never overwritten, and sets are listed page by page', async () => {
  const { set } = await open().sets.capture({ kind: 'tables', tables: RELATIONS }, 'manual')
  const again = bucket.store().put(set.manifestKey, Buffer.from('{}'), { ifAbsent: true })
  await expect(again).rejects.toMatchObject({ code: 'OBJECT_EXISTS' })
  expect((await open().sets.scan()).sets.map(({ manifest }) => manifest.setId)).toContain(set.setId)
  const listed = await open().sets.list({ limit: 1 })
  expect(listed.sets[0]?.setId).toBe(set.setId)
  expect((await open().sets.list({ limit: 1, ...(listed.cursor && { cursor: listed.cursor }) })).sets).toHaveLength(1)
})
