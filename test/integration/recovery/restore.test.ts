/** Restoring on a real server: targets, conflicts, interruptions. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Database, ObjectStore } from '#lib/ports/index.ts'
import type { RestoreProgress } from '#lib/recovery/index.ts'
import { eventually } from '#test/support/eventually.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

/** Restores hold an advisory lock while their transaction is open. */
const END_RESTORES = `SELECT pid, pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
const ITEM = { schema: 'public', name: 'item' }
let db: TestDatabase
let slice: TestRecovery
let snapshotId: `snap_${string}`

beforeAll(async () => {
  db = await createTestDatabase(`CREATE TABLE item (id integer PRIMARY KEY, body text NOT NULL, tags text[]);
    INSERT INTO item SELECT i, 'body ' || i, ARRAY['a', NULL] FROM generate_series(1, 1000) i`)
  slice = await openTestRecovery(db.database)
  snapshotId = (await slice.recovery.capture(ITEM, 'manual')).snapshotId
})

afterAll(async () => {
  await slice?.close()
  await db?.drop()
})

const target = (name: string) => ({ schema: 'public', name })
const count = async (table: string) => (await db.run(`SELECT count(*)::integer AS count FROM ${table}`))[0]?.['count']
const isThere = async (table: string) =>
  (await db.run(`SELECT to_regclass('${table}') IS NOT NULL AS found`))[0]?.['found']

test('the original is never the target', async () => {
  await expect(slice.recovery.restore({ snapshotId, target: ITEM })).rejects.toMatchObject({
    code: 'RESTORE_OVER_SOURCE',
  })
  expect(await count('item')).toBe(1000)
})

test('an unknown snapshot is missing', async () => {
  const unknown = `snap_${'f'.repeat(32)}` as const
  await expect(slice.recovery.restore({ snapshotId: unknown })).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING' })
})

test('a dry run proves the snapshot, lists what it would make and changes nothing', async () => {
  const report = await slice.recovery.restore({ snapshotId, target: target('dry'), isDryRun: true })
  expect(report).toMatchObject({ isDryRun: true, rowCount: 1000, insertedRows: 0 })
  expect(report.checked).toEqual([
    'manifest digest',
    'SHA-256 of every part',
    'row count of every part',
    'what the table needs from outside',
  ])
  expect(report.rebuilt).toContain('primary key item_pkey')
  expect(await isThere('dry')).toBe(false)
})

test('progress goes through verifying, loading, comparing and rebuilding', async () => {
  const seen: RestoreProgress[] = []
  await slice.recovery.restore({ snapshotId, target: target('progress'), onProgress: (step) => seen.push(step) })
  expect([...new Set(seen.map(({ phase }) => phase))]).toEqual(['verify', 'load', 'compare', 'rebuild'])
  expect(seen.filter(({ phase }) => phase === 'load').at(-1)).toEqual({ phase: 'load', done: 1000, total: 1000 })
})

test.for(['load', 'compare', 'rebuild'] as const)(
  'an interruption while it would %s leaves nothing behind',
  async (phase) => {
    const name = `broken_${phase}`
    const onProgress = (step: RestoreProgress) => {
      if (step.phase === phase) throw new Error('pulled the plug')
    }
    await expect(slice.recovery.restore({ snapshotId, target: target(name), onProgress })).rejects.toThrow()
    expect(await isThere(name)).toBe(false)
    expect((await slice.recovery.restore({ snapshotId, target: target(name) })).insertedRows).toBe(1000)
  },
)

test('a server that ends the connection in the middle leaves nothing behind', async () => {
  const ended = new Set<unknown>()
  let isBegun = false
  // Its rows may all be read while its connection is still being opened: the last of them wait until it holds its lock.
  const endRestores = async () => {
    for (const { pid } of await db.run(END_RESTORES)) ended.add(pid)
    return !isBegun || ended.size > 0
  }
  const beginning: Database = {
    label: db.database.label,
    withSession: (use) => db.database.withSession(use),
    withDedicatedSession: (use) => {
      isBegun = true
      return db.database.withDedicatedSession(use)
    },
    cancel: (processId) => db.database.cancel(processId),
    close: async () => {},
  }
  const cutting = (objects: ObjectStore): ObjectStore => ({
    put: (key, content, options) => objects.put(key, content, options),
    openUpload: (key, options) => objects.openUpload(key, options),
    read: async (key, range) => {
      await eventually(endRestores, { what: 'the lock of the restore' })
      return await objects.read(key, range)
    },
    readStream: (key, range) => objects.readStream(key, range),
    find: (key) => objects.find(key),
    list: (prefix, cursor) => objects.list(prefix, cursor),
    delete: (key) => objects.delete(key),
  })
  const other = await openTestRecovery(beginning, { wrapObjects: () => cutting(slice.objects) })
  await expect(other.recovery.restore({ snapshotId, target: target('cut') })).rejects.toThrow()
  // The restore may know of its end before whoever ended it has its answer.
  await eventually(() => ended.size > 0, { what: 'the answer about the session that was ended' })
  expect(ended.size).toBe(1)
  expect(await isThere('cut')).toBe(false)
  await other.close()
})

test('an existing target is refused unless a policy says what to do', async () => {
  await slice.recovery.restore({ snapshotId, target: target('again') })
  await expect(slice.recovery.restore({ snapshotId, target: target('again') })).rejects.toMatchObject({
    code: 'RESTORE_TARGET_EXISTS',
  })
})

test('skip adds the missing rows and overwrite sets the others back', async () => {
  await slice.recovery.restore({ snapshotId, target: target('merged') })
  await db.run(
    `DELETE FROM merged WHERE id <= 100; UPDATE merged SET body = 'changed' WHERE id > 900; INSERT INTO merged VALUES (5000, 'new', NULL)`,
  )
  const skip = await slice.recovery.restore({ snapshotId, target: target('merged'), conflictPolicy: 'skip' })
  expect(skip).toMatchObject({ insertedRows: 100, updatedRows: 0 })
  expect(await count(`merged WHERE body = 'changed'`)).toBe(100)
  const overwrite = await slice.recovery.restore({ snapshotId, target: target('merged'), conflictPolicy: 'overwrite' })
  expect(overwrite).toMatchObject({ insertedRows: 0, updatedRows: 1000 })
  expect(await count(`merged WHERE body = 'changed'`)).toBe(0)
  expect(await count('merged')).toBe(1001)
})

test('an existing target without a key is refused under every policy', async () => {
  await db.run('CREATE TABLE keyless (id integer, body text, tags text[])')
  const restore = slice.recovery.restore({ snapshotId, target: target('keyless'), conflictPolicy: 'overwrite' })
  await expect(restore).rejects.toMatchObject({ code: 'RESTORE_TARGET_EXISTS' })
})

test('a foreign key without its table is named, not dropped in silence, and a trigger gets its function back', async () => {
  await db.run(`CREATE TABLE owner (id integer PRIMARY KEY); INSERT INTO owner VALUES (1);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
    CREATE TABLE pet (id integer, owner integer CONSTRAINT has_owner REFERENCES owner);
    INSERT INTO pet VALUES (1, 1);
    CREATE TRIGGER noting BEFORE INSERT ON pet FOR EACH ROW EXECUTE FUNCTION note()`)
  const point = await slice.recovery.capture(target('pet'), 'manual')
  await db.run('DROP TABLE pet, owner; DROP FUNCTION note()')
  const report = await slice.recovery.restore({ snapshotId: point.snapshotId })
  expect(report.notRebuilt).toEqual([{ subject: 'foreign key has_owner', reason: expect.stringContaining('(42P01)') }])
  expect(await count('pet_recovered')).toBe(1)
})

test('two restores into one target at a time: one makes it, the other is refused', async () => {
  const outcomes = await Promise.allSettled(
    [1, 2].map(() => slice.recovery.restore({ snapshotId, target: target('race') })),
  )
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(await count('race')).toBe(1000)
})
