import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import type { RecordWrite } from '#lib/ports/index.ts'
import { startChild } from '#test/support/children/child.ts'
import { eventually } from '#test/support/eventually.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import { readAll } from './record-cases.ts'
import { recordStoreContract } from './record-store.ts'

const writer = new URL('../support/children/write-records.ts', import.meta.url)
const opener = new URL('../support/children/open-records.ts', import.meta.url)

recordStoreContract('SQLite in memory', async (clock) => {
  const store = openSqliteRecordStore({ path: ':memory:', clock })
  return { store, close: () => store.close() }
})

const WRITERS = [
  ['', false],
  [', written inline', true],
] as const

for (const [how, isWrittenInline] of WRITERS) {
  recordStoreContract(`SQLite in a file${how}`, async (clock) => {
    const folder = await mkdtemp(join(tmpdir(), 'backstop-records-'))
    const store = openSqliteRecordStore({ path: join(folder, 'metadata.db'), clock, isWrittenInline })
    return {
      store,
      close: async () => {
        await store.close()
        await rm(folder, { recursive: true })
      },
    }
  })
}

describe.each(WRITERS)('record store: the SQLite file itself%s', (_how, isWrittenInline) => {
  let folder: string
  let path: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backstop-records-'))
    path = join(folder, 'metadata.db')
  })
  afterEach(() => rm(folder, { recursive: true }))

  const open = (busyTimeoutMs = 2_000) =>
    openSqliteRecordStore({ path, clock: createFixedClock(), busyTimeoutMs, isWrittenInline })
  const create = (sort: string, body = {}): RecordWrite => ({
    kind: 'create',
    record: { key: { partition: 'p', sort }, body },
  })

  it('is readable by its owner alone', async () => {
    const store = open()
    await store.write(create('a'))
    for (const name of await readdir(folder))
      expect(((await stat(join(folder, name))).mode & 0o777).toString(8)).toBe('600')
    await store.close()
  })

  it('holds everything after it was closed and opened again', async () => {
    const first = open()
    const written = first.write(create('a', { n: 1 }))
    await first.close()
    expect(await written).toBe(1)
    const second = open()
    expect((await second.find({ partition: 'p', sort: 'a' }))?.body).toEqual({ n: 1 })
    await second.close()
    await second.close()
    await expect(second.find({ partition: 'p', sort: 'a' })).rejects.toMatchObject({ code: 'METADATA_UNREACHABLE' })
    await expect(second.write(create('b'))).rejects.toMatchObject({ code: 'METADATA_UNREACHABLE' })
  })

  it('removes expired records when it is swept, and those alone', async () => {
    const clock = createFixedClock()
    const store = openSqliteRecordStore({ path, clock, isWrittenInline })
    const expiresAtS = Math.floor(clock.nowMs() / 1_000) + 10
    for (const sort of ['a', 'b', 'c']) {
      await store.write({ kind: 'create', record: { key: { partition: 'p', sort }, body: {}, expiresAtS } })
    }
    await store.write(create('kept'))
    expect(await store.sweepExpired()).toBe(0)
    clock.advance(10_000)
    expect(await store.sweepExpired(2)).toBe(2)
    expect(await store.sweepExpired()).toBe(1)
    const database = new DatabaseSync(path)
    expect(database.prepare('SELECT sort FROM record').all()).toEqual([{ sort: 'kept' }])
    database.close()
    await store.close()
  })

  it('is kept in write-ahead mode', () => {
    const store = open()
    const database = new DatabaseSync(path)
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
    database.close()
    return store.close()
  })

  it.each([
    ['a folder that is missing', () => join(folder, 'none', 'metadata.db')],
    ['a path that is a folder', () => folder],
  ])('cannot be opened in %s', (_, toPath) => {
    expect(() => openSqliteRecordStore({ path: toPath(), clock: createFixedClock() })).toThrow(
      expect.objectContaining({ code: 'METADATA_UNREACHABLE' }),
    )
  })

  it('is not opened when it is no database, or of another program', async () => {
    await writeFile(path, 'this is not a database, and long enough to be looked at '.repeat(40))
    expect(() => open()).toThrow(expect.objectContaining({ code: 'METADATA_UNREACHABLE' }))
    await rm(path)
    const database = new DatabaseSync(path)
    database.exec('PRAGMA user_version = 7')
    database.close()
    expect(() => open()).toThrow(expect.objectContaining({ code: 'METADATA_UNREACHABLE' }))
  })

  it('fails a write while another process keeps it locked, and takes it afterwards', async () => {
    const store = open(20)
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const attempts = await Promise.allSettled([store.write(create('a')), store.write(create('b'))])
    for (const attempt of attempts) expect(attempt).toMatchObject({ reason: { code: 'METADATA_UNREACHABLE' } })
    expect(await store.find({ partition: 'p', sort: 'a' })).toBeUndefined()
    other.exec('ROLLBACK')
    other.close()
    expect(await store.write(create('a'))).toBe(1)
    await store.close()
  })

  it('reports a full disk, keeps what was confirmed, and goes on when there is room', async () => {
    const child = startChild(writer, [path, 'w'], { fileLimitKb: 2_048 })
    expect(await child.ended).toBe(0)
    expect(child.lines.at(-1)).toBe('METADATA_UNREACHABLE')
    const confirmed = child.lines.slice(0, -1)
    expect(confirmed.length).toBeGreaterThan(10)
    const store = open()
    for (const n of confirmed) expect(await readAll(store, { partition: `w#${n}` })).toHaveLength(2)
    await store.write(create('after'))
    await store.close()
  })

  it('gives each key to one of several processes that create the same ones in a new file', async () => {
    const names = ['one', 'two', 'three']
    const children = names.map((name) => startChild(writer, [path, name, 'contend', '150']))
    for (const child of children) expect(await child.ended).toBe(0)
    const store = open()
    const records = await readAll(store, { partition: 'shared' })
    expect(records).toHaveLength(150)
    for (const record of records) {
      const winner = children[names.indexOf(record.body['winner'] as string)]
      expect(winner?.lines).toContain(record.key.sort)
    }
    expect(children.reduce((sum, child) => sum + child.lines.length, 0)).toBe(150)
    await store.close()
  })

  it('is opened by each of several processes that make it at one moment', async () => {
    const startMs = Date.now() + 2_000
    const children = [1, 2, 3, 4].map(() => startChild(opener, [folder, `${startMs}`, '200']))
    for (const child of children) expect(await child.ended).toBe(0)
    expect(children.flatMap(({ lines }) => lines)).toEqual([])
  })

  it('holds every confirmed transaction, and each as a whole, after its writer was killed', async () => {
    for (let round = 0; round < 5; round++) {
      const child = startChild(writer, [path, `w${round}`])
      await eventually(() => child.lines.length > 20 + round * 13, { timeoutMs: 30_000 })
      await child.kill()
      const store = open()
      for (const n of child.lines) expect(await readAll(store, { partition: `w${round}#${n}` })).toHaveLength(2)
      const next = await readAll(store, { partition: `w${round}#${child.lines.length}` })
      expect([0, 2]).toContain(next.length)
      await store.close()
    }
  })
})
