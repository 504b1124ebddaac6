/** What every work queue with its consumer promises. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WorkConsumer, WorkItem, WorkQueue } from '#lib/ports/index.ts'
import { eventually } from '#test/support/eventually.ts'

export interface OpenedWorkQueue {
  /** Three attempts, with short waits between them. */
  readonly queue: WorkQueue & WorkConsumer
  close(): Promise<void>
}

export function workQueueContract(name: string, open: () => Promise<OpenedWorkQueue>): void {
  describe(`work queue: ${name}`, () => {
    let opened: OpenedWorkQueue
    let queue: WorkQueue & WorkConsumer
    beforeEach(async () => {
      opened = await open()
      queue = opened.queue
    })
    afterEach(async () => {
      await queue.stop()
      await opened.close()
    })

    const collect = (kind: string) => {
      const items: WorkItem[] = []
      queue.handle(kind, async (item) => {
        items.push(item)
      })
      return items
    }

    it('delivers what was sent, also before anybody listened', async () => {
      const id = await queue.send('job', { n: 1, nested: { text: 'ü💾' } })
      const items = collect('job')
      queue.start()
      await eventually(() => items.length === 1)
      expect(items).toEqual([{ id, kind: 'job', body: { n: 1, nested: { text: 'ü💾' } }, attempt: 1 }])
    })

    it('carries the correlation id of the request that it came from', async () => {
      await queue.send('job', {}, { correlationId: 'c-1' })
      const items = collect('job')
      queue.start()
      await eventually(() => items.length === 1)
      expect(items[0]?.correlationId).toBe('c-1')
    })

    it('delivers each kind to its handler', async () => {
      const [left, right] = [collect('left'), collect('right')]
      queue.start()
      for (let n = 0; n < 20; n++) await queue.send(n % 2 ? 'left' : 'right', { n })
      await eventually(() => left.length + right.length === 20)
      expect(left.every((item) => (item.body['n'] as number) % 2 === 1)).toBe(true)
      expect(right).toHaveLength(10)
    })

    it('delivers again after a failure, and counts the attempts', async () => {
      const attempts: number[] = []
      queue.handle('job', async ({ attempt }) => {
        attempts.push(attempt)
        if (attempt < 3) throw new Error('not yet')
      })
      queue.start()
      await queue.send('job', {})
      await eventually(() => attempts.length === 3)
      expect(attempts).toEqual([1, 2, 3])
      expect(await queue.listDead()).toEqual([])
    })

    it('gives every delivery of an item the id that its sender was told', async () => {
      const ids: string[] = []
      queue.handle('job', async ({ id, attempt }) => {
        ids.push(id)
        if (attempt < 3) throw new Error('not yet')
      })
      queue.start()
      const id = await queue.send('job', {})
      await eventually(() => ids.length === 3)
      expect(ids).toEqual([id, id, id])
    })

    it('puts an item aside after its last attempt, and lists those oldest first', async () => {
      queue.handle('job', async () => {
        throw new Error('never')
      })
      queue.start()
      const ids: string[] = []
      for (let n = 0; n < 3; n++) ids.push(await queue.send('job', { n }))
      const dead = await eventually(async () => {
        const items = await queue.listDead()
        return items.length === 3 ? items : undefined
      })
      expect(new Set(dead.map((item) => item.id))).toEqual(new Set(ids))
      expect(dead.map((item) => item.attempt)).toEqual([3, 3, 3])
    })

    it('takes a second item with the same kind and key for the first', async () => {
      const items = collect('job')
      const other = collect('other')
      const [first, second, third] = await Promise.all([
        queue.send('job', { n: 1 }, { dedupeKey: 'k' }),
        queue.send('job', { n: 1 }, { dedupeKey: 'k' }),
        queue.send('other', { n: 1 }, { dedupeKey: 'k' }),
      ])
      expect(second).toBe(first)
      expect(third).not.toBe(first)
      queue.start()
      await eventually(() => items.length > 0 && other.length > 0)
      expect(await queue.send('job', { n: 2 }, { dedupeKey: 'k' })).toBe(first)
      await queue.send('job', { n: 3 }, { dedupeKey: 'k2' })
      await eventually(() => items.some((item) => item.body['n'] === 3))
      expect(items.map((item) => item.body['n'])).toEqual([1, 3])
    })

    it('delivers a group in order, one at a time, although some fail at first', async () => {
      const seen: number[] = []
      let inHand = 0
      queue.handle('job', async ({ body, attempt }) => {
        inHand++
        expect(inHand).toBe(1)
        await new Promise((resolve) => setImmediate(resolve))
        inHand--
        if ((body['n'] as number) % 4 === 1 && attempt < 2) throw new Error('not yet')
        seen.push(body['n'] as number)
      })
      queue.start()
      for (let n = 0; n < 12; n++) await queue.send('job', { n }, { groupKey: 'g' })
      await eventually(() => seen.length === 12)
      expect(seen).toEqual(Array.from({ length: 12 }, (_, n) => n))
    })

    it('goes on with a group after one of its items was put aside', async () => {
      const seen: number[] = []
      queue.handle('job', async ({ body }) => {
        if (body['n'] === 1) throw new Error('never')
        seen.push(body['n'] as number)
      })
      queue.start()
      for (let n = 0; n < 4; n++) await queue.send('job', { n }, { groupKey: 'g' })
      await eventually(() => seen.length === 3)
      expect(seen).toEqual([0, 2, 3])
      expect((await queue.listDead()).map((item) => item.body['n'])).toEqual([1])
    })

    it('lets other groups and items pass a group that waits', async () => {
      const seen: string[] = []
      let release = () => {}
      const gate = new Promise<void>((resolve) => {
        release = resolve
      })
      queue.handle('job', async ({ body }) => {
        if (body['n'] === 'slow') await gate
        seen.push(body['n'] as string)
      })
      queue.start()
      await queue.send('job', { n: 'slow' }, { groupKey: 'a' })
      await queue.send('job', { n: 'behind' }, { groupKey: 'a' })
      await queue.send('job', { n: 'other' }, { groupKey: 'b' })
      await queue.send('job', { n: 'free' })
      await eventually(() => seen.length === 2)
      expect(seen.sort()).toEqual(['free', 'other'])
      release()
      await eventually(() => seen.length === 4)
      expect(seen.slice(2)).toEqual(['slow', 'behind'])
    })

    it('waits for work in hand when it stops, and takes nothing after that', async () => {
      let finished = 0
      let isBegun = false
      queue.handle('job', async () => {
        isBegun = true
        for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
        finished++
      })
      queue.start()
      await queue.send('job', {})
      await eventually(() => isBegun)
      await queue.stop()
      expect(finished).toBe(1)
      await queue.send('job', {})
      queue.start()
      await eventually(() => finished === 2)
    })
  })
}
