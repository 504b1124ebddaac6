/** The recurring work of the embedded product. */
import { epochMsOf, isBackstopError, SECOND_MS } from '#lib/kernel/index.ts'
import type { ScheduledTask } from '#lib/ports/index.ts'
import type { RuntimeConfig } from './config.ts'
import type { Log } from './log.ts'
import type { Parts } from './parts.ts'
import { SYSTEM } from './system.ts'
import type { WatchedFiles } from './watched-files.ts'

const MINUTE = 60 * SECOND_MS
/** Longer than anything may run: what is still open then has lost its process. */
const OPEN_FOR_MS = 20 * MINUTE

/** Capture every table, seal the ledger, expire approvals, look at the files, sweep what is over. */
export function tasksOf(config: RuntimeConfig, parts: Parts, files: WatchedFiles, log: Log): readonly ScheduledTask[] {
  const captureEveryMs = config.snapshotIntervalSeconds * SECOND_MS
  return [
    { name: 'capture', everyMs: captureEveryMs, immediately: true, run: () => captureRound(config, parts, log) },
    { name: 'seal', everyMs: MINUTE, run: () => seal(parts, log) },
    { name: 'expire', everyMs: 5 * SECOND_MS, run: () => expire(parts) },
    { name: 'reload', everyMs: SECOND_MS, run: () => files.reload() },
    { name: 'reconcile', everyMs: 5 * MINUTE, run: async () => void (await parts.ledger.reconcile(OPEN_FOR_MS)) },
    { name: 'sweep', everyMs: MINUTE, immediately: true, run: async () => void (await parts.records.sweepExpired()) },
  ]
}

async function seal(parts: Parts, log: Log): Promise<void> {
  const report = await parts.ledger.sealDue()
  if (report.anchorFailure !== undefined) log('error', 'anchor_failed', { message: report.anchorFailure })
}

async function expire(parts: Parts): Promise<void> {
  const expired = await parts.approvals.expireDue()
  for (let one = 0; one < expired; one++) parts.metrics.noteApproval('timeout')
}

/** Figures that are read when somebody looks, and not counted. */
export function refreshFigures(parts: Parts): () => Promise<void> {
  return async () => {
    parts.metrics.setPaused((await parts.pause.current()).paused)
    const pending = await parts.approvals.list({ state: 'pending', limit: 500 })
    parts.metrics.setPendingApprovals(pending.approvals.length)
    const { points } = await parts.recovery.list({ limit: 500 })
    const seen = new Set<string>()
    for (const point of points) {
      const table = `${point.relation.schema}.${point.relation.name}`
      if (point.status !== 'valid' || seen.has(table)) continue
      seen.add(table)
      const freshAtMs = epochMsOf(point.confirmedAt ?? point.capturedAt)
      parts.metrics.setLatestSnapshotAge(table, Math.max(0, (SYSTEM.clock.nowMs() - freshAtMs) / SECOND_MS))
    }
  }
}

/** Half of the age at which a point counts as stale, so that the next round comes in time. */
function minimumAgeMs(parts: Parts): number {
  return (parts.policy.active().policy.max_snapshot_age_seconds * SECOND_MS) / 2
}

async function captureRound(config: RuntimeConfig, parts: Parts, log: Log): Promise<void> {
  const report = await parts.recovery.runRound({
    allowedTables: config.snapshotTables,
    minimumAgeMs: minimumAgeMs(parts),
  })
  for (const point of report.captured) parts.metrics.noteSnapshot('success', point.rowCount)
  for (const failure of report.failed) {
    parts.metrics.noteSnapshot('failed', 0)
    await alertFailure(parts, `${failure.relation.schema}.${failure.relation.name}`, failure.code)
  }
  parts.metrics.setCaptureHealth(report.failed.length === 0 ? 'healthy' : 'degraded')
  if (report.captured.length > 0 || report.failed.length > 0) {
    log('info', 'capture_round', {
      captured: report.captured.length,
      confirmed: report.confirmed.length,
      failed: report.failed.length,
    })
  }
}

async function alertFailure(parts: Parts, table: string, code: string): Promise<void> {
  await parts.alerts.raise({
    severity: 'critical',
    eventType: 'snapshot_capture_failed',
    title: `No recovery point could be taken of ${table}`,
    recommendedAction:
      'Read the reason with "backstop snapshots list"; destructive work on this table is refused until it is mended.',
    facts: { table, code },
    dedupeKey: `capture:${table}`,
  })
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
