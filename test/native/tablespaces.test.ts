/** Base backups of a real server with tablespaces: taken, prepared into new folders, started, compared row by row. */
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { makeTemporaryFolder, runCliJson, type TemporaryFolder } from '#test/support/cli/run-cli.ts'
import { archiveAll, baseBackup, CLUSTER, prepare } from '#test/support/native/archived-server.ts'
import { archiveCommand } from '#test/support/native/cli-command.ts'
import { makeServerFolder, NativeServer } from '#test/support/native/server.ts'

const DIGESTS = `
  SELECT (SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM events t) AS events,
         (SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM archive t) AS archive`
/** Through the index alone, which lies in the other tablespace. */
const BY_INDEX = `SET enable_seqscan = off; SELECT md5(string_agg(word, ',' ORDER BY word)) FROM events WHERE word >= ''`
const PLACES =
  'SELECT oid::text, pg_tablespace_location(oid) AS place FROM pg_tablespace WHERE oid > 16000 ORDER BY oid'

let folder: TemporaryFolder
let server: NativeServer
let storage: string
let scratch: string
let backup: { backup_id: string; tablespaces: { oid: string; location: string; key: string; files: number }[] }
let atTarget: { digests: Record<string, unknown>[]; byIndex: unknown; time: string }
const fast = () => join(folder.path, 'spaces/fa=st \\ one')
const large = () => join(folder.path, 'spaces/large')
const started: NativeServer[] = []

/** Names, sizes and contents below a folder. */
const contentOf = (root: string) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const path = join(root, name)
      return statSync(path).isFile() ? `${name} ${readFileSync(path, 'base64')}` : name
    })

beforeAll(async () => {
  folder = makeTemporaryFolder()
  const storageFolder = makeServerFolder(join(folder.path, 'storage'))
  storage = pathToFileURL(storageFolder).href
  scratch = join(folder.path, 'scratch')
  mkdirSync(scratch)
  const settings = { archive_mode: 'on', archive_command: archiveCommand(storage, CLUSTER) }
  server = NativeServer.create(inject('nativeBin'), join(folder.path, 'primary/data'), settings)
  await server.start()
  makeServerFolder(join(folder.path, 'spaces'))
  for (const [name, place] of [
    ['fast', fast()],
    ['large', large()],
  ] as const) {
    await server.run(`CREATE TABLESPACE ${name} LOCATION '${makeServerFolder(place)}'`)
  }
  await server.run(`
    CREATE TABLE events (id int PRIMARY KEY, word text) TABLESPACE fast;
    CREATE INDEX words ON events (word) TABLESPACE large;
    CREATE TABLE archive (id int PRIMARY KEY USING INDEX TABLESPACE fast, body text) TABLESPACE large;
    INSERT INTO events SELECT i, md5(i::text) FROM generate_series(1, 5000) i;
    INSERT INTO archive SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 2000) i`)
  await archiveAll(server)
  const taken = await baseBackup(server, storage, '--scratch-dir', scratch)
  expect({ exitCode: taken.exitCode, error: taken.data.error }).toEqual({ exitCode: 0, error: undefined })
  backup = taken.data.backup
  await server.run(
    `INSERT INTO events SELECT i, 'later ' || i FROM generate_series(5001, 5100) i; DELETE FROM archive WHERE id % 7 = 0`,
  )
  atTarget = {
    digests: await server.run(DIGESTS),
    byIndex: await server.value(BY_INDEX),
    time: String(await server.value('SELECT clock_timestamp()::text')),
  }
  await server.run('DELETE FROM events; DELETE FROM archive')
  await archiveAll(server)
  await server.crash()
})
afterAll(async () => {
  for (const one of [...started, server]) await one?.crash()
  folder?.remove()
})

const storedAt = (key: string) => {
  const root = join(folder.path, 'storage')
  const found = readdirSync(root, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith(key))
  if (found === undefined) throw new Error(`no file for ${key}`)
  return join(root, found)
}
const toTarget = () => ['--target-time', atTarget.time, '--target-action', 'promote', '--archive-mode', 'off']

async function startAndCompare(dataFolder: string, places: readonly string[]): Promise<void> {
  const restored = new NativeServer(inject('nativeBin'), dataFolder)
  started.push(restored)
  await restored.start()
  await restored.waitUntilPrimary()
  expect(await restored.run(DIGESTS)).toEqual(atTarget.digests)
  expect(await restored.value(BY_INDEX)).toBe(atTarget.byIndex)
  expect(await restored.run(PLACES)).toEqual(backup.tablespaces.map(({ oid }, at) => ({ oid, place: places[at] })))
  for (const [at, { oid }] of backup.tablespaces.entries()) {
    expect(readlinkSync(join(dataFolder, 'pg_tblspc', oid))).toBe(places[at])
  }
  await restored.run(`INSERT INTO archive VALUES (100000, 'written')`)
  await restored.stop()
}

describe('a server with two tablespaces', () => {
  test('is backed up with an object for each of them, and leaves nothing in scratch', async () => {
    expect(backup.tablespaces.map(({ location }) => location)).toEqual([fast(), large()])
    for (const { files, oid, key } of backup.tablespaces) {
      expect(files).toBeGreaterThan(1)
      expect(key.endsWith(`/${oid}.tar.zst`)).toBe(true)
    }
    expect(readdirSync(scratch)).toEqual([])
    const listed = await runCliJson(['pitr', 'list', '--storage', storage, '--cluster-id', CLUSTER])
    expect(listed.data.backups).toEqual([backup])
  })

  test('is restored to a time into folders beside the data folder; where it was is not touched', async () => {
    const before = [contentOf(fast()), contentOf(large())]
    expect(before.flat().length).toBeGreaterThan(8)
    const place = join(folder.path, 'restored')
    const { exitCode, data } = await prepare({ storage }, place, ...toTarget())
    expect({ exitCode, error: data.error }).toEqual({ exitCode: 0, error: undefined })
    const places = backup.tablespaces.map(({ oid }) => join(place, 'data.tablespaces', oid))
    expect(data.tablespaces.map((one: { folder: string }) => one.folder)).toEqual(places)
    for (const path of places) expect(statSync(path).mode & 0o777).toBe(0o700)
    await startAndCompare(join(place, 'data'), places)
    expect([contentOf(fast()), contentOf(large())]).toEqual(before)
  })

  test('is restored into the folders that are mapped', async () => {
    const place = makeServerFolder(join(folder.path, 'mapped'))
    const places = [join(place, 'a=b \\ c'), join(place, 'two')]
    const escaped = (path: string) => path.replaceAll('=', '\\=')
    const words = [fast(), large()].flatMap((from, at) => [
      '--tablespace-mapping',
      `${escaped(from)}=${escaped(places[at] ?? '')}`,
    ])
    const { exitCode, data } = await prepare({ storage }, place, ...toTarget(), ...words)
    expect({ exitCode, error: data.error }).toEqual({ exitCode: 0, error: undefined })
    expect(existsSync(join(place, 'data.tablespaces'))).toBe(false)
    await startAndCompare(join(place, 'data'), places)
  })

  test('passes the drill that starts a server and reads every table', async () => {
    const words = ['--storage', storage, '--cluster-id', CLUSTER, '--target-time', atTarget.time]
    const check = 'SELECT count(*) = 5100 FROM events'
    const { exitCode, data } = await runCliJson(['drill', 'pitr-restore', ...words, '--check-sql', check])
    expect({ exitCode, error: data.error }).toEqual({ exitCode: 0, error: undefined })
  })
})

describe('a base backup that cannot be copied first', () => {
  const HUGE = 'echo \'42/99999999999999 kB (0%), 0/3 tablespaces\' >&2; echo x > "$to/base.tar"; exec sleep 60'
  const FAILS = 'echo x > "$to/base.tar"; echo "pg_basebackup: error: connection lost" >&2; exit 1'
  test.each([
    ['for want of room', HUGE, 'LOCAL_FILE_FAILED', '--scratch-dir'],
    ['because the server goes away', FAILS, 'NATIVE_TOOL_FAILED', 'connection lost'],
  ])('%s leaves nothing, here or in the storage', async (name, work, code, words) => {
    const program = join(folder.path, `pg_basebackup ${name}`)
    const says = 'pg_basebackup: error: can only write single tablespace to stdout, database has 3'
    writeFileSync(
      program,
      `#!/bin/sh\ncase "$1" in --version) echo 15; exit;; --pgdata=-) echo '${says}' >&2; exit 1;; esac\nto="\${1#--pgdata=}"; ${work}\n`,
      { mode: 0o755 },
    )
    const { exitCode, data } = await runCliJson([
      ...['pitr', 'basebackup', '--db', 'postgresql://nobody@127.0.0.1:1/x', '--storage', storage],
      ...['--cluster-id', 'uncopied', '--scratch-dir', scratch, '--pg-basebackup-bin', program],
    ])
    expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 1, code })
    expect(data.error.message).toContain(words)
    expect(readdirSync(scratch)).toEqual([])
    expect(existsSync(join(folder.path, 'storage/backups/physical/uncopied'))).toBe(false)
  })
})

describe('a preparation is refused', () => {
  const refused = async (name: string, ...more: string[]) => {
    const place = join(folder.path, name)
    const { exitCode, data } = await prepare({ storage }, place, '--archive-mode', 'off', ...more)
    return { exitCode, code: data.error.code, left: readdirSync(place) }
  }
  const mapLarge = (to: string) => ['--tablespace-mapping', `${large()}=${to}`]

  test('into a mapped folder that is not empty', async () => {
    const full = makeServerFolder(join(folder.path, 'full'))
    writeFileSync(join(full, 'mine'), 'mine')
    const answer = await refused('not empty', ...mapLarge(full))
    expect(answer).toEqual({ exitCode: 1, code: 'TARGET_FOLDER_REFUSED', left: [] })
    expect(readdirSync(full)).toEqual(['mine'])
  })

  test('into where the tablespace was, as long as that is not empty', async () => {
    const before = contentOf(large())
    const answer = await refused('original', ...mapLarge(large()))
    expect(answer).toEqual({ exitCode: 1, code: 'TARGET_FOLDER_REFUSED', left: [] })
    expect(contentOf(large())).toEqual(before)
  })

  test.each([
    ['of a location that is none', () => ['--tablespace-mapping', '/nowhere=/tmp/x']],
    ['that is not one', () => ['--tablespace-mapping', large()]],
    ['to a relative path', () => mapLarge('x')],
    ['into the data folder', () => mapLarge(join(folder.path, 'mapping into the data folder/data/x'))],
    ['given twice', () => [...mapLarge('/tmp/x'), ...mapLarge('/tmp/y')]],
  ])('with a mapping %s', async (name, words) => {
    const answer = await refused(`mapping ${name}`, ...words())
    expect(answer).toEqual({ exitCode: 2, code: 'TABLESPACE_MAPPING_INVALID', left: [] })
  })

  test('with a flipped bit in the object of a tablespace, and with --force nothing is replaced by it', async () => {
    const stored = storedAt(`${backup.tablespaces[1]?.oid}.tar.zst`)
    const whole = readFileSync(stored)
    const damaged = Buffer.from(whole)
    damaged.writeUInt8((damaged.at(damaged.length >> 1) ?? 0) ^ 1, damaged.length >> 1)
    writeFileSync(stored, damaged)
    try {
      expect(await refused('flipped')).toEqual({ exitCode: 1, code: 'BACKUP_CORRUPT', left: [] })
      const full = makeServerFolder(join(folder.path, 'kept'))
      writeFileSync(join(full, 'mine'), 'mine')
      const forced = await refused('forced', '--force', ...mapLarge(full))
      expect(forced).toEqual({ exitCode: 1, code: 'BACKUP_CORRUPT', left: [] })
      expect(readdirSync(full)).toEqual(['mine'])
    } finally {
      writeFileSync(stored, whole)
    }
  })
})
