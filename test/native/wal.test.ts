/** The archive of WAL with segments that a real server wrote and archived through the real command. */
import { spawn } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import {
  makeTemporaryFolder,
  runCliJson,
  runCliProcess,
  startCli,
  type TemporaryFolder,
} from '#test/support/cli/run-cli.ts'
import { eventually } from '#test/support/eventually.ts'
import { archiveCommand, shellQuote } from '#test/support/native/cli-command.ts'
import { makeServerFolder, NativeServer } from '#test/support/native/server.ts'

/** Spaces, both kinds of quotes, a percent sign and a dollar. */
const ODD = `it's a "st%re" $HOME`
const SEGMENT_BYTES = 1 << 20

let folder: TemporaryFolder
let storage: string
let storageFolder: string
let server: NativeServer
/** Names in the order of the archive. */
let archived: string[]

beforeAll(async () => {
  folder = makeTemporaryFolder()
  storageFolder = makeServerFolder(join(folder.path, ODD))
  storage = pathToFileURL(storageFolder).href
  const settings = {
    archive_mode: 'on',
    archive_command: archiveCommand(storage, 'pröd/1'),
    // No segment is recycled while it is compared.
    checkpoint_timeout: '1h',
  }
  server = NativeServer.create(inject('nativeBin'), join(folder.path, 'server/data'), settings, ['--wal-segsize=1'])
  await server.start()
  await server.run('CREATE TABLE t (id int, filler text)')
  let last = ''
  for (let index = 0; index < 4; index++) {
    await server.run('INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, 1000) i')
    last = String(await server.value('SELECT pg_walfile_name(pg_switch_wal())'))
  }
  await eventually(
    async () => String((await server.value('SELECT last_archived_wal FROM pg_stat_archiver')) ?? '') >= last,
    {
      timeoutMs: 100_000,
      everyMs: 100,
      what: `the archive of the switched segments: ${server.log}`,
    },
  )
  archived = (await list()).data.files.map(({ name }: { name: string }) => name)
})
afterAll(async () => {
  await server.stop()
  folder.remove()
})

const list = (cluster = 'pröd/1') => runCliJson(['wal', 'list', '--storage', storage, '--cluster-id', cluster])
const verify = (cluster: string, ...more: string[]) =>
  runCliJson(['wal', 'verify', '--storage', storage, '--cluster-id', cluster, ...more])
const fetch = (cluster: string, name: string, output: string, place = storage) =>
  runCliJson(['wal', 'fetch', '--storage', place, '--cluster-id', cluster, '--wal-name', name, '--output', output])
const archiveWords = (cluster: string, path: string, name: string) => [
  ...['wal', 'archive', '--storage', storage, '--cluster-id', cluster],
  ...['--wal-file', path, '--wal-name', name],
]
const archive = (cluster: string, path: string, name: string) => runCliJson(archiveWords(cluster, path, name))
const stored = (cluster: string, name: string) =>
  join(storageFolder, 'wal', encodeURIComponent(cluster).replaceAll('%', '%25'), name.slice(0, 8), `${name}.zst`)

/** A flipped bit that changes what zstd gives back, there or a little behind: a few bits of its format mean nothing. */
function flipFrom(sound: Buffer, first: number): { bytes: Buffer; position: number } {
  const bodyAt = 8 + sound.readUInt32LE(4)
  const contentOf = (bytes: Buffer) => {
    try {
      return zstdDecompressSync(bytes.subarray(bodyAt))
    } catch {
      return undefined
    }
  }
  const content = contentOf(sound) ?? expect.fail('it is no archived segment')
  for (let position = first; ; position++) {
    const bytes = Buffer.from(sound)
    bytes.writeUInt8((bytes.at(position) ?? 0) ^ 4, position)
    if (position < bodyAt || contentOf(bytes)?.equals(content) !== true) return { bytes, position }
  }
}

/** A segment of the server as a file of its own. */
async function segment(name = archived[1] ?? ''): Promise<string> {
  const path = join(folder.path, `${name}-${Math.random().toString(36).slice(2)}`)
  expect((await fetch('pröd/1', name, path)).exitCode).toBe(0)
  return path
}

describe('a real server', () => {
  test('archives through the command, from paths with spaces, quotes and percent signs, without a failure', async () => {
    expect(archived.length).toBeGreaterThanOrEqual(4)
    expect(await server.run('SELECT failed_count::int FROM pg_stat_archiver')).toEqual([{ failed_count: 0 }])
    const { data } = await list()
    expect(data).toMatchObject({ segment_bytes: SEGMENT_BYTES, gaps: [] })
    expect(data.system_identifier).toBe(
      String(await server.value('SELECT system_identifier::text FROM pg_control_system()')),
    )
    const proven = await verify('pröd/1')
    expect(proven).toMatchObject({ exitCode: 0, data: { ok: true, problems: [], skipped: [] } })
    expect(proven.data.checked).toBe(archived.length)
  })

  test('gets back what it archived, byte for byte, and a person can with zstd alone', async () => {
    let compared = 0
    for (const name of archived) {
      const own = join(server.dataFolder, 'pg_wal', name)
      if (!existsSync(own)) continue
      const path = await segment(name)
      expect(readFileSync(path).equals(readFileSync(own))).toBe(true)
      compared++
    }
    expect(compared).toBeGreaterThanOrEqual(1)
    expect(readdirSync(folder.path).filter((name) => name.includes('.backstop-'))).toEqual([])
  })
})

describe('archiving', () => {
  test('the same segment again counts, and another one of its name never replaces it', async () => {
    const path = await segment()
    const name = archived[1] ?? ''
    expect(await archive('again', path, name)).toMatchObject({ exitCode: 0, data: { is_new: true } })
    expect(await archive('again', path, name)).toMatchObject({ exitCode: 0, data: { is_new: false } })
    const before = readFileSync(stored('again', name))
    const bytes = readFileSync(path)
    bytes.writeUInt8((bytes.at(100_000) ?? 0) ^ 1, 100_000)
    writeFileSync(path, bytes)
    const other = await archive('again', path, name)
    expect({ exitCode: other.exitCode, code: other.data.error.code }).toEqual({ exitCode: 1, code: 'WAL_CONFLICT' })
    expect(readFileSync(stored('again', name)).equals(before)).toBe(true)
  })

  test.each([
    ['truncated', (path: string) => truncateSync(path, SEGMENT_BYTES - 8192), 'instead of'],
    ['cut to nothing', (path: string) => truncateSync(path, 0), 'is empty'],
    [
      'overwritten with zeros',
      (path: string) => writeFileSync(path, Buffer.alloc(SEGMENT_BYTES)),
      'header of a WAL segment',
    ],
  ])('a segment that is %s is refused', async (_, damage, says) => {
    const path = await segment()
    damage(path)
    const { exitCode, data } = await archive('damaged', path, archived[1] ?? '')
    expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 1, code: 'WAL_INVALID' })
    expect(data.error.message).toContain(says)
    expect(existsSync(stored('damaged', archived[1] ?? ''))).toBe(false)
  })

  test('a segment under the name of another one, a wrong name and a file that is not there are refused', async () => {
    const path = await segment()
    for (const [given, name, code] of [
      [path, archived[2] ?? '', 'WAL_INVALID'],
      [path, '../../etc/passwd', 'WAL_INVALID'],
      [path, 'RECOVERYXLOG', 'WAL_INVALID'],
      [`${path}.nowhere`, archived[1] ?? '', 'LOCAL_FILE_FAILED'],
    ] as const) {
      const { exitCode, data } = await archive('names', given, name)
      expect({ name, exitCode, code: data.error.code }).toEqual({ name, exitCode: 1, code })
    }
    expect((await list('names')).data.files).toEqual([])
  })

  test('a storage folder that is not there is refused and not made, as when a disk is not mounted', async () => {
    const place = join(folder.path, 'not mounted')
    const words = ['wal', 'archive', '--storage', pathToFileURL(place).href, '--cluster-id', 'c']
    const { exitCode, data } = await runCliJson([
      ...words,
      '--wal-file',
      await segment(),
      '--wal-name',
      archived[1] ?? '',
    ])
    expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 1, code: 'STORAGE_UNREACHABLE' })
    expect(existsSync(place)).toBe(false)
  })

  test('another server under the same cluster id is refused', async () => {
    const bin = inject('nativeBin')
    const other = NativeServer.create(bin, join(folder.path, 'other/data'), {}, ['--wal-segsize=1'])
    const [name = ''] = readdirSync(join(other.dataFolder, 'pg_wal')).filter((file) => /^[0-9A-F]{24}$/.test(file))
    const { exitCode, data } = await archive('pröd/1', join(other.dataFolder, 'pg_wal', name), name)
    expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 1, code: 'WAL_SYSTEM_MISMATCH' })
  })

  test('two at once of the same segment both succeed, of two different ones exactly one does', async () => {
    const same = await segment()
    const other = await segment()
    const bytes = readFileSync(other)
    bytes.writeUInt8((bytes.at(200_000) ?? 0) ^ 1, 200_000)
    writeFileSync(other, bytes)
    const name = archived[1] ?? ''
    const both = await Promise.all([archive('race1', same, name), archive('race1', same, name)])
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0])
    const ends = await Promise.all([archive('race2', same, name), archive('race2', other, name)])
    expect(ends.map(({ exitCode }) => exitCode).toSorted()).toEqual([0, 1])
    const winner = ends[0]?.exitCode === 0 ? same : other
    const back = join(folder.path, 'back')
    await fetch('race2', name, back)
    expect(readFileSync(back).equals(readFileSync(winner))).toBe(true)
  })

  test('killed at any time it leaves the whole segment or none, and the next try succeeds', async () => {
    const path = await segment()
    const name = archived[1] ?? ''
    const timed = async (work: Promise<unknown>) => {
      const startedMs = performance.now()
      await work
      return performance.now() - startedMs
    }
    let killed = 0
    let wholeMs = await timed(archive('whole', path, name))
    for (let round = 0; round < 6 || killed < 3; round++) {
      const cluster = `killed${round}`
      const running = startCli(archiveWords(cluster, path, name))
      const takenMs = await timed(Promise.race([delay(wholeMs * (0.4 + 0.1 * (round % 6))), running.end]))
      running.child.kill('SIGKILL')
      if ((await running.end).exitCode === null) killed++
      else wholeMs = Math.min(wholeMs, takenMs)
      const out = join(folder.path, 'killed-back')
      const state = await fetch(cluster, name, out)
      expect([0, 1]).toContain(state.exitCode)
      if (state.exitCode === 0) expect(readFileSync(out).equals(readFileSync(path))).toBe(true)
      expect((await archive(cluster, path, name)).exitCode).toBe(0)
      expect((await verify(cluster)).data).toMatchObject({ ok: true, checked: 1 })
    }
    expect(killed).toBeGreaterThanOrEqual(3)
  })
})

describe('fetching', () => {
  test('what is not there ends with 1 and writes nothing', async () => {
    const out = join(folder.path, 'missing')
    for (const name of ['0000000100000000000000FF', '00000002.history', '000000010000000000000001.partial']) {
      expect((await fetch('pröd/1', name, out)).exitCode).toBe(1)
    }
    expect(existsSync(out)).toBe(false)
  })

  test('what is damaged, or cannot be told, ends with 200, which stops a recovery, and writes nothing', async () => {
    const name = archived[1] ?? ''
    await archive('rotten', await segment(), name)
    const object = stored('rotten', name)
    const sound = readFileSync(object)
    const out = join(folder.path, 'rotten')
    let tried = 0
    for (const first of [0, 6, 20, 200, 5_000, sound.length - 1]) {
      const { bytes, position } = flipFrom(sound, first)
      writeFileSync(object, bytes)
      const { exitCode, data } = await fetch('rotten', name, out)
      expect({ position, exitCode, code: data.error.code }).toEqual({ position, exitCode: 200, code: 'WAL_CORRUPT' })
      tried++
    }
    writeFileSync(object, sound.subarray(0, 1_000))
    expect((await fetch('rotten', name, out)).exitCode).toBe(200)
    expect((await fetch('rotten', name, out, 'file:///nowhere/at/all')).exitCode).toBe(200)
    expect((await fetch('rotten', 'nonsense', out)).exitCode).toBe(200)
    expect((await fetch('pröd/1', name, join(folder.path, 'no/such/folder/x'))).exitCode).toBe(200)
    expect(tried).toBe(6)
    expect(existsSync(out)).toBe(false)
  })

  test('with a disk that is full it writes nothing and stops the recovery', async () => {
    const name = archived[1] ?? ''
    const place = join(folder.path, 'full')
    mkdirSync(place)
    const program = fileURLToPath(new URL('../../bin/backstop.ts', import.meta.url))
    const words = ['wal', 'fetch', '--storage', storage, '--cluster-id', 'pröd/1', '--wal-name', name]
    const line = [process.execPath, program, ...words, '--output', join(place, 'segment')].map(shellQuote).join(' ')
    const limited = spawn('sh', ['-c', `ulimit -f 512; exec ${line}`], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    limited.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    const exitCode = await new Promise((resolve) => limited.once('close', (code) => resolve(code)))
    expect({ exitCode, said }).toEqual({ exitCode: 200, said: expect.stringContaining('may not become so large') })
    expect(readdirSync(place)).toEqual([])
  })
})

describe('verifying', () => {
  /** An archive of its own with all segments of the server's. */
  async function copyArchive(cluster: string): Promise<void> {
    const from = dirname(dirname(stored('pröd/1', archived[0] ?? '')))
    const to = join(storageFolder, 'wal', cluster)
    mkdirSync(join(to, '00000001'), { recursive: true })
    copyFileSync(join(from, 'system.json'), join(to, 'system.json'))
    for (const file of readdirSync(join(from, '00000001'))) {
      copyFileSync(join(from, '00000001', file), join(to, '00000001', file))
    }
  }

  test('finds a gap, also by names alone', async () => {
    await copyArchive('gap')
    rmSync(stored('gap', archived[1] ?? ''))
    rmSync(stored('gap', archived[2] ?? ''))
    const gap = { timeline: 1, first: archived[1], last: archived[2], count: 2 }
    const full = await verify('gap')
    expect(full).toMatchObject({ exitCode: 1, data: { ok: false, gaps: [gap], skipped: [] } })
    expect(full.data.checked).toBe(archived.length - 2)
    expect(full.data.problems).toEqual([
      { subject: archived[1], reason: `2 segments are missing, up to ${archived[2]}` },
    ])
    const quick = await verify('gap', '--quick')
    expect(quick.data).toMatchObject({ ok: false, checked: 0, gaps: [gap] })
    expect(quick.data.skipped.length).toBe(archived.length - 2)
    const later = await verify('gap', '--from', archived[3] ?? '')
    expect(later).toMatchObject({ exitCode: 0, data: { ok: true, gaps: [] } })
    expect(later.data.skipped).toEqual([{ subject: archived[0], reason: `lies before ${archived[3]}` }])
  })

  test('finds a damaged segment, one under a wrong name, and a stranger', async () => {
    await copyArchive('mixed')
    const bytes = readFileSync(stored('mixed', archived[0] ?? ''))
    bytes.writeUInt8((bytes.at(900) ?? 0) ^ 1, 900)
    writeFileSync(stored('mixed', archived[0] ?? ''), bytes)
    copyFileSync(stored('mixed', archived[1] ?? ''), stored('mixed', archived[2] ?? ''))
    writeFileSync(join(storageFolder, 'wal/mixed/00000001/notes.txt'), 'mine')
    const { exitCode, data } = await verify('mixed')
    expect(exitCode).toBe(1)
    expect(data.problems.map(({ subject }: { subject: string }) => subject)).toEqual([
      'wal/mixed/00000001/notes.txt',
      archived[0],
      archived[2],
    ])
    expect(data.checked).toBe(archived.length - 2)
  })

  test('an archive with nothing in it is not proven', async () => {
    const { exitCode, data } = await verify('nobody')
    expect({ exitCode, ok: data.ok, checked: data.checked }).toEqual({ exitCode: 1, ok: false, checked: 0 })
  })
})

test('people are told too', async () => {
  const words = ['wal', 'verify', '--storage', storage, '--cluster-id', 'pröd/1']
  const { stdout, stderr } = await runCliProcess(words)
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^\d+ files proven, 0 skipped, 0 problems, timelines: 1\.\n$/)
})
