/** The recurring work of the embedded product, by timers. */
import type { SqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { isBackstopError, SECOND_MS } from '#lib/kernel/index.ts'
import type { ScheduledTask } from '#lib/ports/index.ts'
import {
  captureRound,
  drillWhenDue,
  expire,
  type Log,
  type Parts,
  reconcile,
  seal,
  sweepUndo,
  verifyPoints,
  watchSessions,
} from '#lib/product/index.ts'
import type { WatchedFiles } from './watched-files.ts'

const MINUTE = 60 * SECOND_MS

/** Capture every table, check and drill what was captured, watch for agents that go round the gate, seal the ledger, expire approvals, look at the files, sweep what is over. */
export function tasksOf(parts: Parts, records: SqliteRecordStore, files: WatchedFiles): readonly ScheduledTask[] {
  const captureEveryMs = parts.settings.snapshotIntervalSeconds * SECOND_MS
  return [
    { name: 'capture', everyMs: captureEveryMs, immediately: true, run: () => captureRound(parts) },
    { name: 'watch', everyMs: MINUTE, run: async () => void (await watchSessions(parts)) },
    { name: 'verify', everyMs: 60 * MINUTE, run: async () => void (await verifyPoints(parts)) },
    { name: 'drill', everyMs: 60 * MINUTE, run: async () => void (await drillWhenDue(parts)) },
    { name: 'seal', everyMs: MINUTE, run: async () => void (await seal(parts)) },
    { name: 'expire', everyMs: 5 * SECOND_MS, run: async () => void (await expire(parts)) },
    { name: 'reload', everyMs: SECOND_MS, run: () => files.reload() },
    { name: 'reconcile', everyMs: 5 * MINUTE, run: async () => void (await reconcile(parts)) },
    { name: 'sweep-undo', everyMs: 60 * MINUTE, immediately: true, run: async () => void (await sweepUndo(parts)) },
    { name: 'sweep', everyMs: MINUTE, immediately: true, run: async () => void (await records.sweepExpired()) },
  ]
}

/** Tell what failed, and go on: a task that fails is tried again at its next time. */
export function reportTask(parts: Parts, log: Log): (task: string, error: unknown) => void {
  return (task, error) => {
    const known = isBackstopError(error)
    log('error', 'task_failed', {
      task,
      code: known ? error.code : 'BUG',
      message: known ? error.message : 'see the stack',
      stack: known ? '' : String((error as Error)?.stack ?? error),
    })
    if (task === 'capture') parts.metrics.setCaptureHealth('unhealthy')
  }
}
