/** Restores that are killed, cancelled, or lose what they read from: nothing of them stays in the database. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import { startCli } from '#test/support/cli/run-cli.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'
import { openTestRecovery, type TestRecovery } from '#test/support/recovery/open.ts'

const SEED = `
  CREATE TABLE owner (id integer PRIMARY KEY); INSERT INTO owner SELECT i FROM generate_series(1, 10) i;
  CREATE TABLE item (id serial PRIMARY KEY, owner integer CONSTRAINT has_owner REFERENCES owner, body text);
  CREATE INDEX by_body ON item (body);
  INSERT INTO item (owner, body) SELECT i % 10 + 1, repeat('body ' || i, 20) FROM generate_series(1, 20000) i`
const ITEM = { schema: 'public', name: 'item' }
const SCRIPT = fileURLToPath(new URL('../../support/recovery/killed-restore.ts', import.meta.url))

let db: TestDatabase
let slice: TestRecovery
let snapshotId: `snap_${string}`
let relationsBefore: unknown

beforeEach(async () => {
  db = await createTestDatabase(SEED)
  slice = await openTestRecovery(db.database)
  snapshotId = (await slice.recovery.capture(ITEM, 'manual')).snapshotId
  relationsBefore = await relations()
})

afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

/** Every table, index, sequence and type there is, temporary ones too. */
async function relations() {
  return await db.run(
    `SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1`,
  )
}

/** Sessions of anybody else in this database, and advisory locks of any session in it. */
async function traces() {
  return await db.run(
    `SELECT 'session' AS kind, pid FROM pg_stat_activity WHERE datname = current_database() AND state LIKE '%transaction%'
     UNION ALL SELECT 'lock', l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
      WHERE d.datname = current_database() AND l.locktype = 'advisory'`,
  )
}

async function expectNothingLeft(): Promise<void> {
  await eventually(async () => (await traces()).length === 0, { what: 'no session and no lock of the restore' })
  expect(await relations()).toEqual(relationsBefore)
  const report = await slice.recovery.restore({ snapshotId })
  expect(report.insertedRows).toBe(20_000)
}

test.each([
  'with the lock',
  'with an empty table',
  'among the rows',
  'with every row',
  'among the indexes',
  'before the commit',
])('killed %s, nothing is left and the next restore works', async (moment) => {
  const child = spawn(process.execPath, [SCRIPT, db.url, slice.folder, snapshotId, moment], { stdio: 'ignore' })
  expect(await new Promise((resolve) => child.once('exit', (_code, by) => resolve(by)))).toBe('SIGKILL')
  await expectNothingLeft()
})

/** Holds the restore between the rows and the commit: the foreign key has to wait for this lock. */
async function holdOwner(): Promise<Client> {
  const client = new Client({ connectionString: db.url })
  await client.connect()
  await client.query('BEGIN; LOCK TABLE owner IN ACCESS EXCLUSIVE MODE')
  return client
}

const WAITING = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
  AND query LIKE '%ADD CONSTRAINT%has_owner%'`

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
  'the command that gets %s between the rows and the commit leaves nothing',
  async (signal) => {
    const holder = await holdOwner()
    const storage = `file://${slice.folder}/objects`
    const words = ['recover', '--table', 'item', '--non-interactive', '--db', db.url, '--storage', storage]
    const running = startCli(words)
    await eventually(async () => (await db.run(WAITING)).length === 1, { what: 'the restore waits', timeoutMs: 30_000 })
    running.child.kill(signal)
    expect((await running.end).exitCode).toBe(signal === 'SIGKILL' ? null : 130)
    if (signal !== 'SIGKILL') expect(await db.run(WAITING)).toEqual([])
    await holder.query('ROLLBACK')
    await holder.end()
    await expectNothingLeft()
  },
)

test('a storage that vanishes among the rows leaves nothing', async () => {
  let reads = 0
  const vanishing = (objects: ObjectStore): ObjectStore => ({
    put: (key, content, options) => objects.put(key, content, options),
    openUpload: (key, options) => objects.openUpload(key, options),
    read: async (key, range) => {
      if (key.endsWith('.parquet')) reads += 1
      // The footer is read first; the groups of rows follow when the table is there already.
      if (reads > 1) throw new BackstopError('STORAGE_UNREACHABLE', 'the storage does not answer')
      return await objects.read(key, range)
    },
    readStream: (key, range) => objects.readStream(key, range),
    find: (key) => objects.find(key),
    list: (prefix, cursor) => objects.list(prefix, cursor),
    delete: (key) => objects.delete(key),
  })
  const other = await openTestRecovery(db.database, { wrapObjects: () => vanishing(slice.objects) })
  await expect(other.recovery.restore({ snapshotId })).rejects.toMatchObject({ code: 'STORAGE_UNREACHABLE' })
  expect(reads).toBeGreaterThan(1)
  await other.close()
  await expectNothingLeft()
})

test('of two operators who restore into one table, the second is told at once', async () => {
  const holder = await holdOwner()
  const first = slice.recovery.restore({ snapshotId })
  await eventually(async () => (await db.run(WAITING)).length === 1, { what: 'the first one waits' })
  await expect(slice.recovery.restore({ snapshotId })).rejects.toMatchObject({
    code: 'RESTORE_IN_PROGRESS',
    message: expect.stringContaining('public.item_recovered'),
  })
  await holder.query('ROLLBACK')
  await holder.end()
  expect((await first).insertedRows).toBe(20_000)
})

test('a table that takes the name meanwhile is not touched', async () => {
  const other = new Client({ connectionString: db.url })
  await other.connect()
  await other.query('BEGIN; CREATE TABLE item_recovered (mine integer); INSERT INTO item_recovered VALUES (1)')
  const restore = slice.recovery.restore({ snapshotId })
  const outcome = expect(restore).rejects.toMatchObject({ code: 'RESTORE_TARGET_EXISTS' })
  await eventually(
    async () =>
      (
        await db.run(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
        AND query LIKE '%CREATE TABLE%'`)
      ).length === 1,
    { what: 'the restore waits for the name' },
  )
  await other.query('COMMIT')
  await other.end()
  await outcome
  expect(await db.run('SELECT mine FROM item_recovered')).toEqual([{ mine: 1 }])
})
