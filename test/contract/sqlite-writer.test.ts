import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import type { RecordWrite } from '#lib/ports/index.ts'
import type { Child } from '#test/support/children/child.ts'
import { startChild } from '#test/support/children/child.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import { readAll } from './record-cases.ts'

const submitter = new URL('../support/children/submit-records.ts', import.meta.url)
const UNREACHABLE = { name: 'BackstopError', code: 'METADATA_UNREACHABLE' }

describe('record store: the thread that writes the SQLite file', () => {
  let folder: string
  let path: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'backstop-writer-'))
    path = join(folder, 'metadata.db')
  })
  let child: Child | undefined
  afterEach(async () => {
    await child?.kill()
    child = undefined
    await rm(folder, { recursive: true })
  })

  const open = (at = path) => openSqliteRecordStore({ path: at, clock: createFixedClock(), busyTimeoutMs: 30_000 })
  const create = (sort: string): RecordWrite => ({
    kind: 'create',
    record: { key: { partition: 'p', sort }, body: {} },
  })
  const find = (sort: string) => ({ partition: 'p', sort })

  it('leaves this one free: while a write waits for a lock, reads are answered and the lock can be released', async () => {
    const store = open()
    await store.write(create('before'))
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    let isWritten = false
    const write = store.write(create('during')).then((version) => {
      isWritten = true
      return version
    })
    for (let turn = 0; turn < 20; turn++) {
      expect(await store.find(find('before'))).toMatchObject({ version: 1 })
      await new Promise(setImmediate)
    }
    expect(isWritten).toBe(false)
    other.exec('ROLLBACK')
    other.close()
    expect(await write).toBe(1)
    expect(await store.find(find('during'))).toMatchObject({ version: 1 })
    await store.close()
  })

  it('takes what arrives while it is busy in the order it came, each with its own outcome', async () => {
    const store = open()
    const key = find('a')
    const replace = (expectedVersion: number): RecordWrite => ({
      kind: 'replace',
      record: { key, body: { from: expectedVersion } },
      expectedVersion,
    })
    const writes = [create('a'), create('a'), replace(1), replace(1), replace(2), create('b')]
    const submitted: Promise<number>[] = []
    for (const write of writes) {
      submitted.push(store.write(write))
      await new Promise(setImmediate)
    }
    const outcomes = await Promise.allSettled(submitted)
    expect(outcomes.map((outcome) => ('value' in outcome ? outcome.value : outcome.reason.code))).toEqual([
      1,
      'RECORD_EXISTS',
      2,
      'RECORD_CHANGED',
      3,
      1,
    ])
    expect(await store.find(key)).toMatchObject({ version: 3, body: { from: 2 } })
    await store.close()
  })

  it('carries code, message and details of a refusal', async () => {
    const store = open()
    await expect(store.write({ kind: 'delete', key: find('none'), expectedVersion: 4 })).rejects.toMatchObject({
      name: 'BackstopError',
      code: 'RECORD_CHANGED',
      message: 'the record does not have version 4',
      details: { expectedVersion: 4 },
    })
    await store.close()
  })

  it('fails what waits and everything after, reads too, when it ends', async () => {
    const store = open()
    await rm(path)
    await mkdir(path)
    const waiting = await Promise.allSettled([store.write(create('a')), store.transact([create('b')])])
    for (const outcome of waiting) expect(outcome).toMatchObject({ reason: UNREACHABLE })
    await expect(store.write(create('c'))).rejects.toMatchObject(UNREACHABLE)
    await expect(store.sweepExpired()).rejects.toMatchObject(UNREACHABLE)
    await expect(store.find(find('a'))).rejects.toMatchObject(UNREACHABLE)
    await expect(store.query({ partition: 'p' })).rejects.toMatchObject(UNREACHABLE)
    await store.close()
  })

  it('finishes what was submitted before a process ends that awaits nothing, and does not keep it alive after', async () => {
    child = startChild(submitter, [path, '700'])
    expect(await child.ended).toBe(0)
    expect(child.lines).toHaveLength(700)
    const store = open()
    expect(await readAll(store, { partition: 'p' })).toHaveLength(700)
    await store.close()
  })

  it.each([
    ['in a file', () => path],
    ['in memory', () => ':memory:'],
  ])('refuses a write %s when ten thousand wait, and finishes those', async (_, toPath) => {
    const store = open(toPath())
    const writes = Array.from({ length: 10_000 }, (_, n) => store.write(create(`${n}`)))
    await expect(store.write(create('late'))).rejects.toMatchObject(UNREACHABLE)
    expect(await Promise.all(writes)).toEqual(writes.map(() => 1))
    expect(await store.write(create('late'))).toBe(1)
    await store.close()
  })
})
