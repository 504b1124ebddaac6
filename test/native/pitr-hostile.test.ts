/** Base backups and preparations that must be refused, and recoveries that must stop instead of losing something. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import {
  makeTemporaryFolder,
  type RunningCli,
  runCliJson,
  startCli,
  type TemporaryFolder,
} from '#test/support/cli/run-cli.ts'
import { eventually } from '#test/support/eventually.ts'
import {
  type ArchivedServer,
  baseBackup,
  CLUSTER,
  makeArchivedServer,
  prepare,
} from '#test/support/native/archived-server.ts'
import { makeServerFolder, NativeServer, ownByServer } from '#test/support/native/server.ts'

const CLUSTER_FOLDER = 'it%2527s%2520prod'

let folder: TemporaryFolder
let archived: ArchivedServer
let other: NativeServer
const started: NativeServer[] = []

beforeAll(async () => {
  folder = makeTemporaryFolder()
  archived = await makeArchivedServer(inject('nativeBin'), folder.path)
  other = NativeServer.create(inject('nativeBin'), join(folder.path, 'other/data'), {})
  await other.start()
})
afterAll(async () => {
  for (const server of [...started, other]) await server?.crash()
  await archived?.server.crash()
  folder.remove()
})

interface Place {
  readonly storage: string
  readonly root: string
  readonly content: string
  readonly manifest: string
  readonly wal: string
}

/** The storage once more, for a test to damage. */
function copyStorage(name: string): Place {
  const root = join(folder.path, name)
  cpSync(archived.storageFolder, root, { recursive: true })
  const own = (path: string) => {
    ownByServer(path)
    if (statSync(path).isDirectory()) for (const child of readdirSync(path)) own(join(path, child))
  }
  own(root)
  const backup = join(root, 'backups/physical', CLUSTER_FOLDER, archived.backupId)
  const wal = join(root, 'wal', CLUSTER_FOLDER, '00000001')
  for (const path of [backup, wal]) expect(existsSync(path)).toBe(true)
  return {
    storage: pathToFileURL(root).href,
    root,
    content: join(backup, 'base.tar.zst'),
    manifest: join(backup, 'manifest.json'),
    wal,
  }
}

function flip(path: string, position: number): void {
  const bytes = readFileSync(path)
  bytes.writeUInt8((bytes.at(position) ?? 0) ^ 1, position)
  writeFileSync(path, bytes)
}

/** Starts it until the signal has come in the middle of its work, which a busy machine may let it end before. */
async function endInTheMiddle(
  signal: 'SIGINT' | 'SIGKILL',
  start: (attempt: number) => RunningCli,
  isUnderWay: (attempt: number) => boolean,
): Promise<{ attempt: number; exitCode: number | null }> {
  for (let attempt = 1; ; attempt++) {
    const running = start(attempt)
    let isOver = false
    void running.end.then(() => {
      isOver = true
    })
    await eventually(() => isOver || isUnderWay(attempt), { timeoutMs: 60_000, everyMs: 1, what: 'its work' })
    running.child.kill(signal)
    const { exitCode } = await running.end
    if (exitCode !== 0) return { attempt, exitCode }
  }
}

/** Segments that were archived after the base backup, in order. */
function laterSegments({ wal, manifest }: Place): string[] {
  const { stopLsn, segmentBytes } = JSON.parse(readFileSync(manifest, 'utf8'))
  const stop = Math.floor(Number.parseInt(stopLsn.split('/')[1], 16) / segmentBytes)
  const names = readdirSync(wal).filter((name) => /^[0-9A-F]{24}\.zst$/.test(name))
  return names.filter((name) => Number.parseInt(name.slice(16, 24), 16) > stop).sort()
}

describe('a folder', () => {
  test('that is not empty is refused, and with --force replaced only by a backup that is whole', async () => {
    const place = join(folder.path, 'full')
    makeServerFolder(join(place, 'data'))
    writeFileSync(join(place, 'data/mine'), 'mine')
    const refused = await prepare(archived, place)
    expect({ exitCode: refused.exitCode, code: refused.data.error.code }).toEqual({
      exitCode: 1,
      code: 'TARGET_FOLDER_REFUSED',
    })

    const damaged = copyStorage('damaged for force')
    flip(damaged.content, statSync(damaged.content).size >> 1)
    const corrupt = await prepare(damaged, place, '--force')
    expect(corrupt.data.error.code).toBe('BACKUP_CORRUPT')
    expect(readdirSync(join(place, 'data'))).toEqual(['mine'])

    expect(await prepare(archived, place, '--force')).toMatchObject({ exitCode: 0 })
    const names = readdirSync(join(place, 'data'))
    expect(names).toEqual(expect.arrayContaining(['PG_VERSION', 'recovery.signal', 'backup_label']))
    expect(names).not.toContain('mine')
  })

  test('that is being filled is gone when the preparation is interrupted', async () => {
    const words = ['pitr', 'prepare-restore', '--storage', archived.storage, '--cluster-id', CLUSTER]
    const placeOf = (attempt: number) => join(folder.path, `interrupted ${attempt}`)
    const { attempt, exitCode } = await endInTheMiddle(
      'SIGINT',
      (attempt) => startCli([...words, '--target-dir', join(makeServerFolder(placeOf(attempt)), 'data')]),
      (attempt) => existsSync(join(placeOf(attempt), 'data/base')),
    )
    expect(exitCode).toBe(130)
    expect(readdirSync(placeOf(attempt))).toEqual([])
  })

  test('on which a server may run is refused, with --force too', async () => {
    const place = join(folder.path, 'in use')
    makeServerFolder(join(place, 'data'))
    writeFileSync(join(place, 'data/postmaster.pid'), '1\n')
    const { exitCode, data } = await prepare(archived, place, '--force')
    expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 1, code: 'TARGET_FOLDER_REFUSED' })
    expect(readdirSync(join(place, 'data'))).toEqual(['postmaster.pid'])
  })
})

describe('a base backup', () => {
  test.each([
    ['a flipped bit near its beginning', ({ content }: Place) => flip(content, 5_000)],
    ['a flipped bit in its last bytes', ({ content }: Place) => flip(content, statSync(content).size - 2)],
    ['a lost end', ({ content }: Place) => truncateSync(content, statSync(content).size - 1_000)],
    ['nothing in it', ({ content }: Place) => truncateSync(content, 0)],
    ['no content', ({ content }: Place) => rmSync(content)],
    ['a changed manifest', ({ manifest }: Place) => flip(manifest, 400)],
  ])('with %s is refused, and leaves no folder', async (name, damage) => {
    const damaged = copyStorage(name)
    damage(damaged)
    const place = join(folder.path, `into ${name}`)
    const { exitCode, data } = await prepare(damaged, place, '--backup-id', archived.backupId)
    expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 1, code: 'BACKUP_CORRUPT' })
    expect(readdirSync(place)).toEqual([])
  })

  test('of another server under the same cluster id is refused and leaves nothing', async () => {
    const { exitCode, data } = await baseBackup(other, archived.storage)
    expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 1, code: 'WAL_SYSTEM_MISMATCH' })
    const listed = await runCliJson(['pitr', 'list', '--storage', archived.storage, '--cluster-id', CLUSTER])
    expect(listed.data.backups.map((one: { backup_id: string }) => one.backup_id)).toEqual([archived.backupId])
    expect(readdirSync(join(archived.storageFolder, '.tmp'))).toEqual([])
  })

  test('is not prepared beside the archive of another system', async () => {
    const mixed = copyStorage('mixed')
    const words = ['--storage', mixed.storage, '--cluster-id', 'other']
    expect(await runCliJson(['pitr', 'basebackup', '--db', other.url, ...words])).toMatchObject({ exitCode: 0 })
    cpSync(join(mixed.root, 'wal', CLUSTER_FOLDER), join(mixed.root, 'wal/other'), { recursive: true })
    const { exitCode, data } = await runCliJson([
      'pitr',
      'prepare-restore',
      ...words,
      '--target-dir',
      join(folder.path, 'x'),
    ])
    expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 1, code: 'WAL_SYSTEM_MISMATCH' })
    expect(existsSync(join(folder.path, 'x'))).toBe(false)
  })

  test('that is interrupted or killed is never offered', async () => {
    const wordsFor = (cluster: string) => ['--storage', archived.storage, '--cluster-id', cluster]
    const uploads = () => readdirSync(join(archived.storageFolder, '.tmp')).length
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGKILL', null],
    ] as const) {
      const clusterOf = (attempt: number) => `stopped ${signal} ${attempt}`
      const words = (attempt: number) => ['pitr', 'basebackup', '--db', other.url, ...wordsFor(clusterOf(attempt))]
      let before = 0
      const { attempt, exitCode } = await endInTheMiddle(
        signal,
        (attempt) => {
          before = uploads()
          return startCli(words(attempt))
        },
        () => uploads() > before,
      )
      expect(exitCode).toBe(code)
      const listed = await runCliJson(['pitr', 'list', ...wordsFor(clusterOf(attempt))])
      expect(listed.data).toMatchObject({ backups: [], problems: [] })
      expect(await runCliJson(words(attempt))).toMatchObject({ exitCode: 0 })
    }
  })
})

describe('a target', () => {
  test('before the base backup is refused, and the message says from when on', async () => {
    for (const target of [
      ['--target-time', '2020-01-01 00:00:00+00'],
      ['--target-lsn', '0/1'],
    ]) {
      const { exitCode, data } = await prepare(archived, join(folder.path, 'before'), ...target)
      expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 2, code: 'RECOVERY_TARGET_INVALID' })
      expect(data.error.message).toContain('is consistent from')
    }
    const { data } = await prepare(archived, join(folder.path, 'before'), '--target-time', '2020-01-01 00:00:00')
    expect(data.error.message).toContain('time zone')
  })

  test('that the archive does not reach stops the server instead of opening it', async () => {
    const place = join(folder.path, 'unreached')
    const more = ['--target-name', 'no such point', '--target-action', 'promote', '--archive-mode', 'off']
    expect(await prepare(archived, place, ...more)).toMatchObject({ exitCode: 0 })
    const server = new NativeServer(inject('nativeBin'), join(place, 'data'))
    started.push(server)
    await server.launch()
    expect(await server.waitForEnd()).toContain('recovery ended before configured recovery target was reached')
  })
})

describe('an archive', () => {
  test('with a gap behind the base backup is refused for the end, and told of for a target', async () => {
    const damaged = copyStorage('gap')
    // One more segment behind the last, so that there is something to lose.
    const [first = ''] = laterSegments(damaged)
    const behind = `${first.slice(0, 16)}${(Number.parseInt(first.slice(16, 24), 16) + 5).toString(16).toUpperCase().padStart(8, '0')}.zst`
    cpSync(join(damaged.wal, first), join(damaged.wal, behind))
    const refused = await prepare(damaged, join(folder.path, 'gap end'))
    expect({ exitCode: refused.exitCode, code: refused.data.error.code }).toEqual({ exitCode: 1, code: 'WAL_MISSING' })
    const told = await prepare(damaged, join(folder.path, 'gap target'), '--target-lsn', archived.targets.lsn)
    expect(told.exitCode).toBe(0)
    expect(told.data.notes).toEqual([expect.stringContaining('the archive has a gap after the base backup')])
  })

  test('with a damaged segment stops the recovery: nothing is promoted without what it held', async () => {
    const damaged = copyStorage('rotten')
    const later = laterSegments(damaged)
    expect(later.length).toBeGreaterThanOrEqual(1)
    for (const name of later) flip(join(damaged.wal, name), 400)
    const place = join(folder.path, 'rotten end')
    expect(await prepare(damaged, place, '--archive-mode', 'off')).toMatchObject({ exitCode: 0 })
    const server = new NativeServer(inject('nativeBin'), join(place, 'data'))
    started.push(server)
    await server.launch()
    const log = await server.waitForEnd()
    expect(log).toMatch(/FATAL: {2}could not restore file "[0-9A-F]{24}" from archive/)
    expect(log).toContain('may be corrupted')
    expect(existsSync(join(place, 'data/recovery.signal'))).toBe(true)
  })

  test('of nobody is told of: the recovery ends with the base backup', async () => {
    const bare = copyStorage('bare')
    rmSync(join(bare.root, 'wal'), { recursive: true })
    mkdirSync(join(bare.root, 'wal'))
    const place = join(folder.path, 'bare end')
    const { exitCode, data } = await prepare(bare, place, '--archive-mode', 'off')
    expect({ exitCode, notes: data.notes }).toEqual({
      exitCode: 0,
      notes: ['no WAL of this server is archived: the recovery ends with the base backup'],
    })
    const server = new NativeServer(inject('nativeBin'), join(place, 'data'))
    started.push(server)
    await server.start()
    await server.waitUntilPrimary()
    expect(await server.value('SELECT count(*)::int FROM events')).toBe(1000)
    await server.crash()
  })
})
