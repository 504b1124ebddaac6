/** The embedded product with its recovery points and its sealed ledger in a bucket. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { makeTemporaryFolder, runCliJson, runCliProcess, type TemporaryFolder } from '#test/support/cli/run-cli.ts'
import { executeQuery, startUpProcess } from '#test/support/cli/running-up.ts'
import { makeBucket, S3_CREDENTIALS, type TestBucket } from '#test/support/cloud/s3.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'

const SEED = `
CREATE TABLE payments (id int PRIMARY KEY, amount numeric(10,2) NOT NULL, note text);
INSERT INTO payments SELECT n, n * 1.25, 'payment ' || n FROM generate_series(1, 500) n;
`
const CONTENT = `SELECT md5(string_agg(t::text, '|' ORDER BY id)) AS content, count(*)::int AS rows FROM payments t`

let database: TestDatabase
let folder: TemporaryFolder
let bucket: TestBucket
let environment: Record<string, string>
beforeAll(async () => {
  database = await createTestDatabase(SEED)
  folder = makeTemporaryFolder()
  bucket = await makeBucket(inject('cloudEndpoint'))
  environment = {
    BACKSTOP_DB_URL: database.url,
    BACKSTOP_STORAGE_URL: `s3://${bucket.name}/prod@${inject('cloudEndpoint')}`,
    AWS_ACCESS_KEY_ID: S3_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: S3_CREDENTIALS.secretAccessKey,
  }
})
afterAll(async () => {
  await database.drop()
  folder.remove()
})

test('a running product captures into the bucket, seals its ledger there, and a lost table comes back from it', async () => {
  const before = await database.run(CONTENT)
  const data = join(folder.path, 'data')
  const up = await startUpProcess(['--data', data], {
    ...environment,
    BACKSTOP_DEV_MODE: 'true',
    BACKSTOP_SNAPSHOT_INTERVAL_SECONDS: '1',
  })
  expect(up.ready.storage).toBe(environment['BACKSTOP_STORAGE_URL'])
  await eventually(async () => (await bucket.keys()).some((key) => key.endsWith('manifest.json')), {
    timeoutMs: 60_000,
    what: 'a recovery point in the bucket',
  })
  expect(await executeQuery(up.ready.url, 'dev-token', 'SELECT 1 AS one')).toMatchObject({ status: 'executed' })
  up.child.kill('SIGTERM')
  expect((await up.end).exitCode).toBe(0)
  const keys = await bucket.keys()
  expect(keys.every((key) => key.startsWith('prod/'))).toBe(true)
  expect(keys.some((key) => key.includes('audit'))).toBe(true)
  const { data: verified } = await runCliJson(['audit', 'verify', '--metadata-db', up.ready.metadata_db], environment)
  expect(verified).toMatchObject({ ok: true, problems: [] })

  await database.run('DROP TABLE payments')
  const listed = await runCliJson(['snapshots', 'list', '--table', 'payments'], environment)
  expect(listed.data.snapshots[0]).toMatchObject({ table: 'payments', status: 'valid', row_count: 500 })
  const recovered = await runCliJson(['recover', '--table', 'payments', '--non-interactive'], environment)
  expect(recovered).toMatchObject({ exitCode: 0, data: { ok: true, row_count: 500 } })
  await database.run(recovered.data.copyback.statements.join(';\n'))
  expect(await database.run(CONTENT)).toEqual(before)
})

test.each([
  [
    'a bucket that is missing',
    () => `s3://no-such-bucket@${inject('cloudEndpoint')}`,
    1,
    'no-such-bucket does not exist',
  ],
  ['a malformed URL', () => `s3://${bucket.name}?x=y`, 2, 's3://bucket[/prefix][@endpoint]'],
])('up ends at once, and says so, on %s', async (_, url, exitCode, says) => {
  const end = await runCliProcess(['up', '--port', '0', '--data', join(folder.path, 'other')], {
    ...environment,
    BACKSTOP_DEV_MODE: 'true',
    BACKSTOP_STORAGE_URL: url(),
  })
  expect(end.exitCode).toBe(exitCode)
  expect(end.stderr).toContain(says)
  expect(end.stderr).not.toContain(S3_CREDENTIALS.secretAccessKey)
})

test('up finds the endpoint in AWS_ENDPOINT_URL as well', async () => {
  const listed = await runCliJson(['snapshots', 'list', '--table', 'payments'], {
    ...environment,
    BACKSTOP_STORAGE_URL: `s3://${bucket.name}/prod`,
    AWS_ENDPOINT_URL: inject('cloudEndpoint'),
    AWS_REGION: 'us-east-1',
  })
  expect(listed.data.snapshots.length).toBeGreaterThan(0)
})
