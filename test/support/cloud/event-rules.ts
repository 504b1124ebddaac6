/** EventBridge at its worst, as a schedule: every event is delivered twice at once, and none waits for the one before. */
import { randomUUID } from 'node:crypto'
import { runScheduled } from '#lib/adapters/aws/index.ts'
import { systemClock } from '#lib/adapters/system/index.ts'
import type { RecordStore, Schedule, ScheduledTask } from '#lib/ports/index.ts'

const SHORTEST_MS = 25
const LEASE_MS = 60_000

export function createEventRules(
  records: RecordStore,
  onFailure: (taskName: string, error: unknown) => void,
): Schedule {
  const scope = randomUUID()
  const tasks: ScheduledTask[] = []
  const timers: NodeJS.Timeout[] = []
  const inHand = new Set<Promise<void>>()
  let isRunning = false

  function deliver(task: ScheduledTask, occurrence: string): void {
    const scheduled = { name: `${scope} ${task.name}`, leaseMs: LEASE_MS, occurrence }
    const invocation = runScheduled(records, systemClock, scheduled, task.run)
      .then(
        () => undefined,
        (error: unknown) => onFailure(task.name, error),
      )
      .finally(() => inHand.delete(invocation))
    inHand.add(invocation)
  }

  return {
    add: (task) => void tasks.push(task),
    start() {
      if (isRunning) return
      isRunning = true
      for (const task of tasks) {
        const tick = () => {
          const occurrence = randomUUID()
          deliver(task, occurrence)
          deliver(task, occurrence)
        }
        timers.push(setInterval(tick, Math.max(task.everyMs, SHORTEST_MS)))
      }
    },
    async stop() {
      isRunning = false
      for (const timer of timers) clearInterval(timer)
      while (inHand.size > 0) await Promise.all(inHand)
    },
  }
}
