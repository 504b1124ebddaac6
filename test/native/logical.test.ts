/** Logical backups with the installed pg_dump and pg_restore, through the real command. */
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import {
  makeTemporaryFolder,
  processesNaming,
  runCliJson,
  runCliProcess,
  startCli,
  type TemporaryFolder,
} from '#test/support/cli/run-cli.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'

const SEED = `
  CREATE TYPE mood AS ENUM ('good', 'bad');
  CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, mood mood);
  CREATE TABLE orders (id bigserial PRIMARY KEY, customer int REFERENCES customers, total numeric(12,2), raw bytea);
  CREATE SCHEMA cache;
  CREATE TABLE cache."Odd, Name" (id int);
  INSERT INTO customers SELECT i, 'c' || i, 'good' FROM generate_series(1, 500) i;
  INSERT INTO orders (customer, total, raw) SELECT 1 + i % 500, i / 7.0, decode(md5(i::text), 'hex') FROM generate_series(1, 5000) i;
  INSERT INTO cache."Odd, Name" VALUES (1);
`
const DIGEST = `SELECT md5(string_agg(o::text, ',' ORDER BY id)) AS digest, count(*)::int AS rows FROM orders o`

let folder: TemporaryFolder
let storage: string
let source: TestDatabase
const opened: TestDatabase[] = []

async function emptyDatabase(seed?: string): Promise<TestDatabase> {
  const database = await createTestDatabase(seed, inject('nativeUrl'))
  opened.push(database)
  return database
}

beforeAll(async () => {
  folder = makeTemporaryFolder()
  storage = `file://${folder.path}/sto%20rage`
  source = await emptyDatabase(SEED)
})
afterAll(async () => {
  for (const database of opened) await database.drop()
  folder.remove()
})

const stored = () =>
  existsSync(`${folder.path}/sto rage`) ? readdirSync(`${folder.path}/sto rage/backups/logical`) : []

async function create(...more: string[]) {
  return await runCliJson(['backup', 'logical-create', '--db', source.url, '--storage', storage, ...more])
}

async function restore(target: TestDatabase, backupId: string, ...more: string[]) {
  const words = ['backup', 'logical-restore', '--db', target.url, '--storage', storage, '--backup-id', backupId]
  return await runCliJson([...words, ...more])
}

describe('a logical backup', () => {
  test('is taken, listed, and restored with the same content, from a stream and with several jobs', async () => {
    const taken = await create()
    expect(taken).toMatchObject({ exitCode: 0, data: { ok: true, backup: { database: source.name, tables: 3 } } })
    const { backup } = taken.data
    expect(backup.backup_id).toMatch(/^dump_[0-9a-f]{32}$/)
    const path = join(folder.path, 'sto rage', backup.key)
    expect(statSync(path).size).toBe(backup.size_bytes)
    expect(readFileSync(path).subarray(0, 5).toString()).toBe('PGDMP')

    const listed = await runCliJson(['backup', 'logical-list', '--storage', storage])
    expect(listed.data.backups).toEqual([backup])

    const [expected] = await source.run(DIGEST)
    expect(expected?.['rows']).toBe(5000)
    for (const more of [[], ['--jobs', '3']]) {
      const target = await emptyDatabase()
      expect(await restore(target, backup.backup_id, ...more)).toMatchObject({ exitCode: 0, data: { ok: true } })
      expect(await target.run(DIGEST)).toEqual([expected])
    }
  })

  test('leaves the named tables out', async () => {
    const taken = await create('--exclude-table', 'cache."Odd, Name",orders', '--backup-id', 'slim')
    expect(taken.data.backup).toMatchObject({
      backup_id: 'slim',
      tables: 1,
      excluded_tables: ['cache."Odd, Name"', 'orders'],
    })
    const target = await emptyDatabase()
    expect(await restore(target, 'slim')).toMatchObject({ exitCode: 0 })
    expect(await target.run(`SELECT to_regclass('orders') AS a, to_regclass('customers') IS NOT NULL AS b`)).toEqual([
      { a: null, b: true },
    ])
  })

  test('is not written over: an id is taken once', async () => {
    await create('--backup-id', 'once')
    const again = await create('--backup-id', 'once')
    expect({ exitCode: again.exitCode, code: again.data.error.code }).toEqual({ exitCode: 1, code: 'BACKUP_EXISTS' })
    const outside = await create('--backup-id', '../x')
    expect({ exitCode: outside.exitCode, code: outside.data.error.code }).toEqual({
      exitCode: 2,
      code: 'CONFIG_INVALID',
    })
  })

  test('replaces what is there with --clean; without it nothing of a failed restore stays', async () => {
    await create('--backup-id', 'clean')
    const target = await emptyDatabase(`CREATE TABLE orders (other text); INSERT INTO orders VALUES ('mine')`)
    const refused = await restore(target, 'clean')
    expect(refused.data.error).toMatchObject({ code: 'NATIVE_TOOL_FAILED' })
    expect(refused.data.error.message).toContain('relation "orders" already exists')
    expect(await target.run(`SELECT other, to_regclass('customers') AS c FROM orders`)).toEqual([
      { other: 'mine', c: null },
    ])
    await target.run('DROP TABLE orders')
    expect(await restore(target, 'clean')).toMatchObject({ exitCode: 0 })
    await target.run('DELETE FROM orders WHERE id > 10; DROP TABLE cache."Odd, Name"')
    for (const more of [[], ['--jobs', '2']]) {
      expect(await restore(target, 'clean', '--clean', ...more)).toMatchObject({ exitCode: 0 })
      expect(await target.run(DIGEST)).toEqual(await source.run(DIGEST))
    }
  })

  test('is what "recover --type logical" restores, the newest unless another one is named', async () => {
    await create('--backup-id', 'newest')
    const target = await emptyDatabase()
    const words = ['recover', '--type', 'logical', '--storage', storage, '--db', target.url, '--non-interactive']
    const looked = await runCliJson([...words, '--dry-run'])
    expect(looked).toMatchObject({ exitCode: 0, data: { dry_run: true, backup: { backup_id: 'newest' } } })
    expect(await target.run(`SELECT to_regclass('orders') AS name`)).toEqual([{ name: null }])
    expect(await runCliJson(words)).toMatchObject({ exitCode: 0, data: { type: 'logical', dry_run: false } })
    expect(await target.run(DIGEST)).toEqual(await source.run(DIGEST))
    const other = await runCliJson([...words, '--dry-run', '--backup-id', 'slim'])
    expect(other.data.backup.backup_id).toBe('slim')
  })
})

describe('a damaged backup', () => {
  test.each([
    ['a flipped bit', (bytes: Buffer) => bytes.writeUInt8((bytes.at(900) ?? 0) ^ 1, 900)],
    ['a lost end', (bytes: Buffer) => bytes.subarray(0, bytes.length - 100)],
  ])('is refused before the database is touched: %s', async (name, damage) => {
    const id = name.replaceAll(' ', '-')
    const { backup } = (await create('--backup-id', id)).data
    const path = join(folder.path, 'sto rage', backup.key)
    const bytes = readFileSync(path)
    const damaged = damage(bytes)
    writeFileSync(path, Buffer.isBuffer(damaged) ? damaged : bytes)
    const target = await emptyDatabase()
    for (const more of [[], ['--jobs', '2']]) {
      const { exitCode, data } = await restore(target, id, ...more)
      expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 1, code: 'BACKUP_CORRUPT' })
    }
    expect(await target.run(`SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'`)).toEqual([
      { tables: 0 },
    ])
  })

  test('with a damaged manifest it is told of and never offered', async () => {
    await create('--backup-id', 'manifest')
    const path = join(folder.path, 'sto rage/backups/logical/manifest/manifest.json')
    writeFileSync(path, readFileSync(path, 'utf8').replace('"tableCount":3', '"tableCount":4'))
    const { exitCode, data } = await runCliJson(['backup', 'logical-list', '--storage', storage])
    expect(exitCode).toBe(1)
    expect(data.problems).toEqual([
      {
        key: 'backups/logical/manifest/manifest.json',
        reason: 'manifest checksum mismatch — backup may be corrupted',
      },
    ])
    expect(data.backups.length).toBeGreaterThanOrEqual(3)
    expect(data.backups.map((one: { backup_id: string }) => one.backup_id)).not.toContain('manifest')
  })
})

describe('a dump that fails', () => {
  test('leaves nothing: no database, wrong password, a table that may not be read', async () => {
    await source.run(`CREATE ROLE reader LOGIN PASSWORD 'p'`)
    const urls = [
      source.url.replace(/[^/]*$/, 'nowhere'),
      source.urlAs('postgres', 'wrong-password'),
      source.urlAs('reader', 'p'),
    ]
    const before = stored()
    for (const url of urls) {
      const { exitCode, stdout, stderr } = await runCliProcess([
        'backup',
        'logical-create',
        '--db',
        url,
        '--storage',
        storage,
      ])
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
      expect(stderr).toMatch(/^Error: pg_dump failed \(exit code 1\): .+\nHint: {2}.+\n$/)
      expect(stderr).not.toContain('wrong-password')
    }
    expect(stored()).toEqual(before)
    expect(readdirSync(join(folder.path, 'sto rage/.tmp'))).toEqual([])
    await source.run('DROP ROLE reader')
  })

  test('says which program is missing and how to install it', async () => {
    const { exitCode, data } = await create('--pg-dump-bin', '/nowhere/pg_dump')
    expect(exitCode).toBe(1)
    expect(data.error).toMatchObject({
      code: 'NATIVE_TOOL_MISSING',
      message: '/nowhere/pg_dump cannot be run as pg_dump',
      hint: expect.stringContaining('apt-get install postgresql-client'),
    })
  })

  test('is ended with the command, and leaves nothing', async () => {
    const slow = join(folder.path, 'slow pg_dump')
    const idFile = join(folder.path, 'slow pg_dump.pid')
    writeFileSync(
      slow,
      `#!/bin/sh\ncase "$1" in --version) echo "pg_dump (PostgreSQL) 15.0";; *) echo $$ > '${idFile}'; printf PGDMP; exec sleep 300;; esac\n`,
    )
    chmodSync(slow, 0o755)
    const before = stored()
    const words = ['backup', 'logical-create', '--db', source.url, '--storage', storage, '--pg-dump-bin', slow]
    const running = startCli(words)
    await eventually(() => readdirSync(join(folder.path, 'sto rage/.tmp')).length === 1, {
      timeoutMs: 60_000,
      what: 'an upload',
    })
    await eventually(() => existsSync(idFile) && readFileSync(idFile, 'utf8').endsWith('\n'), { what: 'the program' })
    const programId = readFileSync(idFile, 'utf8').trim()
    expect(existsSync(`/proc/${programId}`)).toBe(true)
    running.child.kill('SIGINT')
    expect((await running.end).exitCode).toBe(130)
    expect(stored()).toEqual(before)
    expect(readdirSync(join(folder.path, 'sto rage/.tmp'))).toEqual([])
    await eventually(() => !existsSync(`/proc/${programId}`), { what: 'the end of the program' })
    expect(processesNaming(slow)).toEqual([])
  })
})

test('odd names and passwords get through, and are never among the arguments', async () => {
  const password = `p:w\\o'r"d @/%20#ü?`
  const name = `o'dd "na\\me= x${process.pid}`
  await source.run(`CREATE ROLE "o:dd u@ser" SUPERUSER LOGIN PASSWORD '${password.replaceAll("'", "''")}'`)
  const quoted = `"${name.replaceAll('"', '""')}"`
  await source.run(`CREATE DATABASE ${quoted} TEMPLATE template0`)
  try {
    const url = new URL(inject('nativeUrl'))
    url.username = encodeURIComponent('o:dd u@ser')
    url.password = encodeURIComponent(password)
    url.pathname = `/${encodeURIComponent(name)}`
    await create('--backup-id', 'odd')
    const spy = join(folder.path, 'arguments')
    const wrapper = join(folder.path, 'spying pg_restore')
    writeFileSync(
      wrapper,
      `#!/bin/sh\ntr '\\0' '\\n' < /proc/$$/cmdline >> '${spy}'\nexec '${inject('nativeBin')}/pg_restore' "$@"\n`,
    )
    chmodSync(wrapper, 0o755)
    const words = ['backup', 'logical-restore', '--storage', storage, '--backup-id', 'odd', '--pg-restore-bin', wrapper]
    for (const more of [[], ['--jobs', '2', '--clean']]) {
      const { exitCode, data } = await runCliJson([...words, '--skip-owners', ...more], { BACKSTOP_DB_URL: url.href })
      expect({ exitCode, error: data.error }).toEqual({ exitCode: 0, error: undefined })
    }
    const seen = readFileSync(spy, 'utf8')
    expect(seen).toContain('--single-transaction')
    expect(seen).toContain('--jobs=2')
    expect(seen).not.toContain(password)
    expect(seen).not.toContain('postgresql://')
    const restored = await runCliJson(['backup', 'logical-create', '--storage', storage, '--backup-id', 'odd2'], {
      BACKSTOP_DB_URL: url.href,
    })
    expect(restored).toMatchObject({ exitCode: 0, data: { backup: { database: name, tables: 3 } } })
  } finally {
    await source.run(`DROP DATABASE ${quoted} WITH (FORCE)`)
    await source.run(`DROP ROLE "o:dd u@ser"`)
  }
})
