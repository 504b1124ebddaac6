/** Drills with PostgreSQL's own programs: a server that is recovered, started and asked; a database that is dumped and compared. */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import {
  makeTemporaryFolder,
  processesNaming,
  runCliJson,
  startCli,
  type TemporaryFolder,
} from '#test/support/cli/run-cli.ts'
import { eventually } from '#test/support/eventually.ts'
import { type ArchivedServer, CLUSTER, makeArchivedServer } from '#test/support/native/archived-server.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'

const SEED = `
  CREATE EXTENSION pg_trgm;
  CREATE TYPE mood AS ENUM ('good', 'bad');
  CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, mood mood);
  CREATE TABLE orders (id bigserial PRIMARY KEY, customer int REFERENCES customers, total numeric(12,2), raw bytea);
  CREATE INDEX names ON customers USING gin (name gin_trgm_ops);
  CREATE TABLE "Odd, Name" (id int GENERATED ALWAYS AS IDENTITY, "select" text) PARTITION BY RANGE (id);
  CREATE TABLE "Odd 1" PARTITION OF "Odd, Name" FOR VALUES FROM (1) TO (1000);
  CREATE VIEW rich AS SELECT * FROM orders WHERE total > 100;
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
  INSERT INTO customers SELECT i, 'c' || i, 'good' FROM generate_series(1, 50) i;
  INSERT INTO orders (customer, total, raw) SELECT 1 + i % 50, i / 7.0, decode(md5(i::text), 'hex') FROM generate_series(1, 2000) i;
  INSERT INTO "Odd, Name" ("select") VALUES (''), (NULL), ('x');
`

let folder: TemporaryFolder
/** A place for scratch that no other program uses. */
const scratchHome = () => join(folder.path, 'scratch')
const environment = () => ({ TMPDIR: scratchHome() })
const scratchFolders = () => readdirSync(scratchHome()).filter((name) => name.startsWith('backstop-scratch-'))

beforeAll(() => {
  folder = makeTemporaryFolder()
  mkdirSync(scratchHome())
  // The server's user passes through.
  chmodSync(scratchHome(), 0o711)
})
afterAll(() => folder.remove())

describe('a whole server', () => {
  let archived: ArchivedServer
  const drill = (...more: string[]) =>
    runCliJson(
      ['drill', 'pitr-restore', '--storage', archived.storage, '--cluster-id', CLUSTER, ...more],
      environment(),
    )

  beforeAll(async () => {
    archived = await makeArchivedServer(inject('nativeBin'), folder.path)
  })
  afterAll(() => archived?.server.crash())

  test('is recovered to the end of the archive, read table by table, and gone again', async () => {
    const { exitCode, data } = await drill('--check-sql', 'SELECT count(*) = 50 FROM events')
    expect(data.error).toBeUndefined()
    expect(exitCode).toBe(0)
    expect(data).toMatchObject({
      ok: true,
      drill: 'pitr-restore',
      cluster_id: CLUSTER,
      backup_id: archived.backupId,
      recovery_signal: true,
      recovery_target_time: null,
      restore_command: expect.stringContaining('wal fetch'),
      databases: 1,
      tables: 1,
      row_count: 50,
    })
    expect(data.steps.map(({ name, status }: { name: string; status: string }) => `${name}: ${status}`)).toEqual([
      'make scratch: ok',
      'choose a base backup: ok',
      'look at the disk: ok',
      'call restore_command as the server will: ok',
      'prepare the folder: ok',
      'start a server: ok',
      'replay: ok',
      'compare with the archive: ok',
      'read every table: ok',
      'stop the server: ok',
      'remove scratch: ok',
    ])
    expect(data.checked).toContain('the query that was given is true')
    expect(data.rto_seconds).toBeGreaterThan(0)
    expect(data.rpo_seconds).toBeGreaterThan(0)
    expect(data.target_dir.startsWith(scratchHome())).toBe(true)
    expect(scratchFolders()).toEqual([])
    expect(processesNaming(data.target_dir)).toEqual([])
  })

  test.each(['time', 'lsn', 'name'] as const)('is recovered to a %s, and stops there', async (kind) => {
    const check = `SELECT count(*) = 1100 AND bool_and(kind IN ('base', 'before')) FROM events`
    const { exitCode, data } = await drill(`--target-${kind}`, archived.targets[kind], '--check-sql', check)
    expect({ exitCode, error: data.error }).toEqual({ exitCode: 0, error: undefined })
    expect(data).toMatchObject({ row_count: 1100, timeline: 1 })
  })

  test('that answers otherwise than it should fails the drill', async () => {
    const { exitCode, data } = await drill('--check-sql', 'SELECT count(*) = 49 FROM events')
    expect(exitCode).toBe(1)
    expect(data.error).toMatchObject({ code: 'DRILL_MISMATCH', message: expect.stringContaining('not answer true') })
    expect(data.steps.at(-1)).toMatchObject({ name: 'remove scratch', status: 'ok' })
  })

  test('whose target is not in the archive fails the drill with what the server says', async () => {
    const { exitCode, data } = await drill('--target-name', 'nobody made this one')
    expect(exitCode).toBe(1)
    expect(data.error.message).toContain('recovery ended before configured recovery target was reached')
  })

  test('is gone with the command, also when that is killed in the middle', async () => {
    const slow = ['drill', 'pitr-restore', '--storage', archived.storage, '--cluster-id', CLUSTER]
    const running = startCli([...slow, '--check-sql', 'SELECT pg_sleep(300) IS NULL'], environment())
    await eventually(
      () => scratchFolders().some((name) => existsSync(join(scratchHome(), name, 'data/postmaster.pid'))),
      {
        timeoutMs: 60_000,
        what: 'a started server',
      },
    )
    const [name = ''] = scratchFolders()
    running.child.kill('SIGKILL')
    await running.end
    await eventually(() => scratchFolders().length === 0 && processesNaming(name).length === 0, {
      timeoutMs: 60_000,
      what: 'the end of the server and its folder',
    })
  })

  test('whose storage the server may not read says so, and is no proof', async () => {
    if (process.getuid?.() !== 0) return
    chmodSync(join(archived.storageFolder, 'wal'), 0o700)
    const { uid } = statSync(join(archived.storageFolder, 'wal'))
    chownSync(join(archived.storageFolder, 'wal'), 0, 0)
    try {
      const { exitCode, data } = await drill()
      expect({ exitCode, result: data.result }).toEqual({ exitCode: 1, result: 'skipped' })
      expect(data.error.message).toContain('cannot read the archive')
    } finally {
      chownSync(join(archived.storageFolder, 'wal'), uid, uid)
    }
  })

  test('has its folder prepared by the other drill, which keeps one that was named', async () => {
    const words = ['drill', 'pitr-prepare', '--storage', archived.storage, '--cluster-id', CLUSTER]
    const scratch = await runCliJson([...words, '--target-time', archived.targets.time])
    expect(scratch).toMatchObject({ exitCode: 0, data: { drill: 'pitr-prepare', backup_id: archived.backupId } })
    expect(scratch.data.recovery_target_time).toBe(archived.targets.time.replace(/([+-]\d\d)$/, '$1:00'))
    const place = join(folder.path, 'prepared by a drill')
    expect(await runCliJson([...words, '--target-dir', place])).toMatchObject({ exitCode: 0 })
    expect(readdirSync(place)).toContain('recovery.signal')
  })

  test('has its newest archived segment fetched by the drill of the archive', async () => {
    const { exitCode, data } = await runCliJson([
      ...['drill', 'wal-archive-fetch', '--storage', archived.storage, '--cluster-id', CLUSTER],
    ])
    expect({ exitCode, skipped: data.skipped }).toEqual({ exitCode: 0, skipped: [] })
    expect(data.newest_wal_name).toMatch(/^[0-9A-F]{24}$/)
    const verified = await runCliJson(['wal', 'verify', '--storage', archived.storage, '--cluster-id', CLUSTER])
    expect(verified).toMatchObject({ exitCode: 0, data: { problems: [] } })
  })

  test('leaves evidence that is listed, and told apart when somebody changed it', async () => {
    const { exitCode, data } = await runCliJson(['drill', 'list', '--storage', archived.storage])
    expect(exitCode).toBe(0)
    expect(new Set(data.drills.map((one: { drill: string }) => one.drill))).toEqual(
      new Set(['pitr-restore', 'pitr-prepare', 'wal-archive-fetch']),
    )
    const only = await runCliJson(['drill', 'list', '--storage', archived.storage, '--kind', 'pitr-prepare'])
    expect(only.data.drills).toHaveLength(2)
  })
})

describe('a whole database', () => {
  let source: TestDatabase
  let storage: string
  const opened: TestDatabase[] = []
  const drill = (target: string, ...more: string[]) =>
    runCliJson([
      ...['drill', 'logical-backup-restore', '--source-db', source.url, '--target-db', target],
      ...['--storage', storage, ...more],
    ])
  const nowhere = () => source.url.replace(/[^/]*$/, 'mydb_drill')
  const scratchDatabases = () => source.run(`SELECT datname FROM pg_database WHERE datname LIKE 'backstop_drill%'`)

  beforeAll(async () => {
    source = await createTestDatabase(SEED, inject('nativeUrl'))
    opened.push(source)
    mkdirSync(join(folder.path, 'dumps'))
    storage = `file://${folder.path}/dumps`
  })
  afterAll(async () => {
    for (const database of opened) await database.drop()
  })

  test('is dumped, restored beside a target that is not there, compared and dropped', async () => {
    const { exitCode, data } = await drill(nowhere())
    expect(data.error).toBeUndefined()
    expect(exitCode).toBe(0)
    expect(data).toMatchObject({
      ok: true,
      drill: 'logical-backup-restore',
      table: 'public.orders',
      row_count: 2000,
      row_count_total: 2053,
      tables: 3,
      differences: [],
      backup_id: expect.stringMatching(/^dump_/),
    })
    expect(await scratchDatabases()).toEqual([])
    const left = readdirSync(join(folder.path, 'dumps'), { recursive: true }).filter((name) =>
      /dump/.test(String(name)),
    )
    expect(left).toEqual([])
  })

  test('leaves a target that is there as it was', async () => {
    const target = await createTestDatabase(
      `CREATE TABLE orders (mine text); INSERT INTO orders VALUES ('mine')`,
      inject('nativeUrl'),
    )
    opened.push(target)
    expect(await drill(target.url)).toMatchObject({ exitCode: 0 })
    expect(await target.run('SELECT * FROM orders')).toEqual([{ mine: 'mine' }])
  })

  test('that is written to meanwhile is compared all the same', async () => {
    let isOver = false
    const writing = (async () => {
      while (!isOver) await source.run(`INSERT INTO orders (customer, total) VALUES (1, 1)`)
    })()
    const { exitCode, data } = await drill(nowhere())
    isOver = true
    await writing
    expect({ exitCode, differences: data.differences }).toEqual({ exitCode: 0, differences: [] })
  })

  test('without the right to make a database the drill is refused, with the way to it', async () => {
    await source.run(`CREATE ROLE humble LOGIN PASSWORD 'p'; GRANT pg_read_all_data TO humble`)
    try {
      const target = new URL(source.urlAs('humble', 'p'))
      const { exitCode, data } = await drill(target.href)
      expect(exitCode).toBe(1)
      expect(data.error).toMatchObject({ code: 'DRILL_REFUSED', hint: expect.stringContaining('CREATEDB') })
      expect(JSON.stringify(data)).not.toContain(':p@')
    } finally {
      await source.run('DROP OWNED BY humble; DROP ROLE humble')
    }
  })

  test('what a killed drill left is dropped by the next one; what only looks like it stays', async () => {
    const marked = `backstop_drill_${'a'.repeat(32)}`
    const other = `backstop_drill_${'b'.repeat(32)}`
    await source.run(`CREATE DATABASE ${marked}`)
    await source.run(`COMMENT ON DATABASE ${marked} IS 'backstop-drill-scratch {"drillId":"drill_x"}'`)
    await source.run(`CREATE DATABASE ${other}`)
    try {
      const { exitCode, data } = await drill(nowhere())
      expect(exitCode).toBe(0)
      expect(data.skipped).toContainEqual({ subject: `database ${other}`, reason: expect.stringContaining('mark') })
      expect(await scratchDatabases()).toEqual([{ datname: other }])
    } finally {
      await source.run(`DROP DATABASE ${other}`)
    }
  })

  test('a restore that loses rows is found out', async () => {
    const lossy = join(folder.path, 'lossy pg_restore')
    const real = `${inject('nativeBin')}/pg_restore`
    // Once the restore is over, a row goes.
    writeFileSync(
      lossy,
      `#!/bin/sh\ncase "$*" in *--dbname*) '${real}' "$@" && '${inject('nativeBin')}/psql' -q -c 'DELETE FROM "Odd 1" WHERE id = 2';; *) exec '${real}' "$@";; esac\n`,
    )
    chmodSync(lossy, 0o755)
    const { exitCode, data } = await drill(nowhere(), '--pg-restore-bin', lossy)
    expect(exitCode).toBe(1)
    expect(data.error.code).toBe('DRILL_MISMATCH')
    expect(data.differences).toEqual([{ subject: 'public.Odd 1', reason: 'it has 2 rows, not 3' }])
    expect(await scratchDatabases()).toEqual([])
  })

  test('with a program that is missing nothing is proven', async () => {
    const { exitCode, data } = await drill(nowhere(), '--pg-dump-bin', '/nowhere/pg_dump')
    expect({ exitCode, result: data.result }).toEqual({ exitCode: 1, result: 'skipped' })
    expect(data.error.message).toContain('/nowhere/pg_dump')
  })
})
