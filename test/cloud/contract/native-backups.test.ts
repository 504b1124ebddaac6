/** A server on this machine whose WAL, base backup and dump lie in a bucket, and the recovery of it. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { makeTemporaryFolder, runCliJson, type TemporaryFolder } from '#test/support/cli/run-cli.ts'
import { makeBucket, S3_CREDENTIALS, type TestBucket } from '#test/support/cloud/s3.ts'
import { archiveAll, baseBackup, CLUSTER } from '#test/support/native/archived-server.ts'
import { archiveCommand } from '#test/support/native/cli-command.ts'
import { installedBinFolder } from '#test/support/native/installed.ts'
import { NativeServer } from '#test/support/native/server.ts'

const AWS = {
  AWS_ACCESS_KEY_ID: S3_CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: S3_CREDENTIALS.secretAccessKey,
  AWS_REGION: 'us-east-1',
}

let folder: TemporaryFolder
let bucket: TestBucket
let storage: string
let server: NativeServer
const before = Object.fromEntries(Object.keys(AWS).map((name) => [name, process.env[name]]))

beforeAll(async () => {
  // The server's archive_command has them from its own environment.
  Object.assign(process.env, AWS)
  folder = makeTemporaryFolder()
  bucket = await makeBucket(inject('cloudEndpoint'))
  storage = `s3://${bucket.name}/prod@${inject('cloudEndpoint')}`
  const settings = { archive_mode: 'on', archive_command: archiveCommand(storage, CLUSTER) }
  server = NativeServer.create(installedBinFolder(), join(folder.path, 'primary/data'), settings)
  await server.start()
  await server.run(`CREATE TABLE events AS SELECT i AS id FROM generate_series(1, 1000) i`)
  await archiveAll(server)
})
afterAll(async () => {
  await server?.crash()
  folder?.remove()
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
})

const command = (...words: string[]) => runCliJson([...words, '--storage', storage], AWS)

test('the WAL that the server archived is whole, and the archive is the one of the prefix', async () => {
  expect(await command('wal', 'verify', '--cluster-id', CLUSTER)).toMatchObject({ exitCode: 0, data: { problems: [] } })
  expect((await bucket.keys()).every((key) => key.startsWith('prod/'))).toBe(true)
})

test('a base backup of it is recovered with the WAL after it, by a server that fetches from the bucket', async () => {
  const taken = await baseBackup(server, storage)
  expect(taken.exitCode).toBe(0)
  await server.run(`INSERT INTO events SELECT i FROM generate_series(1001, 1500) i`)
  await archiveAll(server)
  const check = 'SELECT count(*) = 1500 FROM events'
  const { exitCode, data } = await command('drill', 'pitr-restore', '--cluster-id', CLUSTER, '--check-sql', check)
  expect({ exitCode, error: data.error }).toEqual({ exitCode: 0, error: undefined })
  expect(data).toMatchObject({ backup_id: taken.data.backup.backup_id, row_count: 1500 })
}, 300_000)

test('a dump of it is restored from the bucket and compared, and the scratch is gone', async () => {
  const urls = ['--source-db', server.url, '--target-db', server.url.replace(/[^/]*$/, 'mydb_drill')]
  const { exitCode, data } = await command('drill', 'logical-backup-restore', ...urls)
  expect({ exitCode, error: data.error }).toEqual({ exitCode: 0, error: undefined })
  expect(data).toMatchObject({ row_count_total: 1500, differences: [] })
  expect((await bucket.keys()).filter((key) => key.includes('drills/scratch/'))).toEqual([])
  expect((await command('drill', 'list')).data.drills).toHaveLength(2)
})
