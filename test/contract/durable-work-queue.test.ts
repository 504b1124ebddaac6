import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DurableWorkQueueOptions, WorkFailure } from '#lib/adapters/embedded/index.ts'
import { createDurableWorkQueue, openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import type { Clock } from '#lib/ports/index.ts'
import { startChild } from '#test/support/children/child.ts'
import { eventually } from '#test/support/eventually.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import { workQueueContract } from './work-queue.ts'

const worker = new URL('../support/children/work.ts', import.meta.url)

function openQueue(clock: Clock, options: Partial<DurableWorkQueueOptions> = {}, path = ':memory:') {
  const failures: WorkFailure[] = []
  const records = options.records ?? openSqliteRecordStore({ path, clock })
  const onFailure = (failure: WorkFailure) => failures.push(failure)
  const queue = createDurableWorkQueue({ clock, random: systemRandom, onFailure, ...options, records })
  return { queue, records, failures }
}

workQueueContract('in the record store', async () => {
  const records = openSqliteRecordStore({ path: ':memory:', clock: systemClock })
  const { queue } = openQueue(systemClock, { records, maxAttempts: 3, retryDelayMs: () => 5, pollMs: 10 })
  return { queue, close: () => records.close() }
})

describe('work queue: the durable queue itself', () => {
  it('waits longer after each failure, and says which one was the last', async () => {
    const clock = createFixedClock()
    const { queue, failures } = openQueue(clock, { maxAttempts: 5 })
    queue.handle('job', async () => {
      throw new Error('never')
    })
    await queue.send('job', {}, { delayMs: 500 })
    expect(await queue.runDue()).toBe(0)
    clock.advance(500)
    for (const delayMs of [1_000, 2_000, 4_000, 8_000]) {
      expect(await queue.runDue()).toBe(1)
      clock.advance(delayMs - 1)
      expect(await queue.runDue()).toBe(0)
      clock.advance(1)
    }
    expect(await queue.runDue()).toBe(1)
    expect(failures.map((failure) => failure.isLastAttempt)).toEqual([false, false, false, false, true])
    expect(await queue.listDead()).toMatchObject([{ attempt: 5 }])
  })

  it('forgets a dedupe key after five minutes', async () => {
    const clock = createFixedClock()
    const { queue } = openQueue(clock)
    const first = await queue.send('job', {}, { dedupeKey: 'k' })
    clock.advance(299_999)
    expect(await queue.send('job', {}, { dedupeKey: 'k' })).toBe(first)
    clock.advance(1)
    expect(await queue.send('job', {}, { dedupeKey: 'k' })).not.toBe(first)
  })

  it('hides an item in hand from other consumers until its lease runs out', async () => {
    const clock = createFixedClock()
    const { queue, records } = openQueue(clock, { leaseMs: 60_000 })
    const other = openQueue(clock, { records }).queue
    const seen: number[] = []
    let hang = () => {}
    queue.handle('job', () => new Promise((resolve) => (hang = resolve)))
    other.handle('job', async ({ attempt }) => {
      seen.push(attempt)
    })
    await queue.send('job', {})
    queue.start()
    await eventually(
      async () =>
        (
          await records.query({
            partition: 'work-ready#job',
            index: 'index1',
            sortTo: `${new Date(clock.nowMs()).toISOString()}#~`,
          })
        ).records.length === 0,
    )
    expect(await other.runDue()).toBe(0)
    clock.advance(60_000)
    expect(await other.runDue()).toBe(1)
    expect(seen).toEqual([2])
    hang()
    await queue.stop()
    expect(await other.runDue()).toBe(0)
    expect(await queue.listDead()).toEqual([])
  })

  it('keeps an item in hand for as long as its handler lives', async () => {
    // The clock moves only after signs of life that came after its last move, however long this process is held up.
    const clock = createFixedClock()
    const { queue, records } = openQueue(clock, { leaseMs: 60 })
    const other = openQueue(clock, { records }).queue
    let stolen = 0
    other.handle('job', async () => {
      stolen++
    })
    let hang = () => {}
    queue.handle('job', () => new Promise((resolve) => (hang = resolve)))
    const id = await queue.send('job', {})
    queue.start()
    const key = { partition: `work#${id}`, sort: 'item' }
    const version = async () => (await records.find(key))?.version ?? 0
    await eventually(async () => (await version()) > 1, { what: 'the item to be in hand' })
    for (let round = 0; round < 6; round++) {
      const before = await version()
      await eventually(async () => (await version()) >= before + 2, { what: 'two signs of life' })
      clock.advance(50)
      expect(await other.runDue()).toBe(0)
    }
    hang()
    await eventually(async () => (await records.find(key)) === undefined)
    expect(stolen).toBe(0)
    await queue.stop()
  })

  it('gives each item to one of several consumers of one file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'backstop-queue-'))
    const path = join(folder, 'metadata.db')
    const opened = Array.from({ length: 3 }, () => {
      const records = openSqliteRecordStore({ path, clock: systemClock, busyTimeoutMs: 60_000 })
      return openQueue(systemClock, { records, pollMs: 5 })
    })
    const seen: unknown[] = []
    for (const { queue } of opened) {
      queue.handle('job', async ({ body }) => {
        seen.push(body['n'])
      })
      queue.start()
    }
    await Promise.all(Array.from({ length: 60 }, (_, n) => opened[n % 3]?.queue.send('job', { n })))
    await eventually(() => seen.length >= 60)
    for (const { queue } of opened) await queue.stop()
    expect(new Set(seen).size).toBe(60)
    expect(seen).toHaveLength(60)
    await rm(folder, { recursive: true })
  })

  it('loses nothing that was confirmed when its process is killed, round after round', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'backstop-queue-'))
    const path = join(folder, 'metadata.db')
    const handled = new Set<string>()
    const sent: string[] = []
    for (let round = 0; round < 3; round++) {
      const child = startChild(worker, [path, `${round}`])
      await eventually(() => child.lines.length > 40 * (round + 1), { timeoutMs: 30_000 })
      await child.kill()
      for (const line of child.lines) {
        const [verb, n] = line.split(' ') as [string, string]
        if (verb === 'sent') sent.push(n)
        else handled.add(n)
      }
    }
    const { queue, failures } = openQueue(systemClock, { leaseMs: 300, pollMs: 20 }, path)
    queue.handle('job', async ({ body }) => {
      handled.add(String(body['n']))
    })
    queue.start()
    const probe = await queue.send('probe', {}, { groupKey: 'g' })
    const last = await queue.send('job', { n: 'last' }, { groupKey: 'g' })
    expect([probe, last].every((id) => id.startsWith('work_'))).toBe(true)
    await eventually(() => handled.has('last'), { timeoutMs: 60_000 })
    await eventually(() => sent.every((n) => handled.has(n)), { timeoutMs: 30_000 })
    expect(sent.length).toBeGreaterThan(60)
    expect(failures).toEqual([])
    await queue.stop()
    await rm(folder, { recursive: true })
  })
})
