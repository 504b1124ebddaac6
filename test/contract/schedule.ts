/** What every schedule that this process runs itself promises. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Schedule } from '#lib/ports/index.ts'
import { eventually } from '#test/support/eventually.ts'

export function scheduleContract(name: string, open: (failures: string[]) => Schedule): void {
  describe(`schedule: ${name}`, () => {
    let schedule: Schedule
    let failures: string[]
    beforeEach(() => {
      failures = []
      schedule = open(failures)
    })
    afterEach(() => schedule.stop())

    const count = (taskName: string, everyMs: number, immediately = false) => {
      const runs = { count: 0 }
      const run = async () => {
        runs.count++
      }
      schedule.add({ name: taskName, everyMs, immediately, run })
      return runs
    }

    it('runs a task again and again once it is started, and not before', async () => {
      const runs = count('often', 2)
      const other = open([])
      let otherRuns = 0
      other.add({
        name: 'reference',
        everyMs: 2,
        run: async () => {
          otherRuns++
        },
      })
      other.start()
      await eventually(() => otherRuns >= 3)
      await other.stop()
      expect(runs.count).toBe(0)
      schedule.start()
      schedule.start()
      await eventually(() => runs.count >= 5)
    })

    it('runs a task at the start only when asked', async () => {
      const [now, later] = [count('now', 3_600_000, true), count('later', 3_600_000)]
      schedule.start()
      await eventually(() => now.count === 1)
      expect(later.count).toBe(0)
    })

    it('takes a task after the start', async () => {
      schedule.start()
      const runs = count('added', 3_600_000, true)
      await eventually(() => runs.count === 1)
    })

    it('never runs a task beside itself', async () => {
      let inHand = 0
      let most = 0
      let runs = 0
      schedule.add({
        name: 'slow',
        everyMs: 1,
        run: async () => {
          most = Math.max(most, ++inHand)
          await new Promise((resolve) => setTimeout(resolve, 8))
          inHand--
          runs++
        },
      })
      schedule.start()
      await eventually(() => runs >= 4)
      expect(most).toBe(1)
    })

    it('reports a failed run by its task, and goes on with it and the others', async () => {
      let attempts = 0
      schedule.add({
        name: 'broken',
        everyMs: 2,
        run: async () => {
          attempts++
          throw new Error('no')
        },
      })
      const other = count('other', 2)
      schedule.start()
      await eventually(() => attempts >= 3 && other.count >= 3)
      expect(failures.length).toBeGreaterThanOrEqual(2)
      expect(new Set(failures)).toEqual(new Set(['broken: no']))
    })

    it('waits for a run in hand when it stops, and starts no other', async () => {
      let begun = 0
      let ended = 0
      schedule.add({
        name: 'slow',
        everyMs: 1,
        immediately: true,
        run: async () => {
          begun++
          await new Promise((resolve) => setTimeout(resolve, 20))
          ended++
        },
      })
      schedule.start()
      await eventually(() => begun === 1)
      await schedule.stop()
      expect([begun, ended]).toEqual([1, 1])
    })
  })
}
