/** The recurring work of the embedded product, by timers. */
import type { SqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { listSessionNames } from '#lib/adapters/native/index.ts'
import { isBackstopError, SECOND_MS } from '#lib/kernel/index.ts'
import type { ScheduledTask } from '#lib/ports/index.ts'
import {
  captureRound,
  type DrillGround,
  drillWhenDue,
  expire,
  type Log,
  openClockWatch,
  type Parts,
  reconcile,
  retainWhenDue,
  type SessionWatch,
  seal,
  sweepUndo,
  tellRefusals,
  verifyPoints,
  watchHeartbeat,
  watchSessions,
  watchStaleness,
  watchTables,
} from '#lib/product/index.ts'
import type { StopOptions } from '#lib/recovery/index.ts'
import type { RuntimeConfig } from './config.ts'
import type { WatchedFiles } from './watched-files.ts'

const MINUTE = 60 * SECOND_MS
/** A look reads a record for each table. */
const TABLES_EVERY_MS = 30 * SECOND_MS

/** One process is the whole gateway: every backend that is not one of its own, or of a program it runs, is somebody else's. */
function sessionWatch({ database }: Pick<Parts, 'database'>, files: Pick<WatchedFiles, 'tokens'>): SessionWatch {
  return {
    agentRoles: files.tokens.list().flatMap(({ databaseRoles = [] }) => databaseRoles),
    ownProcessIds: () => database.listProcessIds?.() ?? [],
    ownSessionNames: listSessionNames,
  }
}

async function lookAtTables(parts: Parts): Promise<void> {
  await watchHeartbeat(parts)
  const look = await watchTables(parts)
  await watchStaleness(parts, look)
}

/** Capture every table, check and drill what was captured, remove what nothing keeps, watch for agents that go round the gate, seal the ledger, expire approvals, look at the files, sweep what is over. */
export function tasksOf(
  parts: Parts,
  config: Pick<RuntimeConfig, 'watchIntervalSeconds'>,
  records: SqliteRecordStore,
  files: WatchedFiles,
  ground: DrillGround,
  stop: StopOptions,
): readonly ScheduledTask[] {
  const captureEveryMs = parts.settings.snapshotIntervalSeconds * SECOND_MS
  const watchEveryMs = config.watchIntervalSeconds * SECOND_MS
  const watchTablesEveryMs = Math.max(watchEveryMs, TABLES_EVERY_MS)
  const watch = () => sessionWatch(parts, files)
  const clockWatch = openClockWatch(parts)
  return [
    { name: 'capture', everyMs: captureEveryMs, immediately: true, run: () => captureRound(parts, stop) },
    {
      name: 'watch',
      everyMs: watchEveryMs,
      immediately: true,
      run: async () => void (await watchSessions(parts, watch())),
    },
    { name: 'watch-tables', everyMs: watchTablesEveryMs, immediately: true, run: () => lookAtTables(parts) },
    { name: 'watch-clock', everyMs: MINUTE, immediately: true, run: async () => void (await clockWatch.look()) },
    { name: 'watch-doors', everyMs: MINUTE, run: () => tellRefusals(parts) },
    { name: 'verify', everyMs: 60 * MINUTE, run: async () => void (await verifyPoints(parts)) },
    { name: 'retain', everyMs: 60 * MINUTE, run: async () => void (await retainWhenDue(parts)) },
    { name: 'drill', everyMs: 60 * MINUTE, run: async () => void (await drillWhenDue(parts, ground)) },
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
