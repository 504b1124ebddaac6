/** The recurring work, whoever calls it when. */
import type { SealReport } from '#lib/gate/index.ts'
import { epochMsOf, SECOND_MS } from '#lib/kernel/index.ts'
import type { Parts } from './parts.ts'

/** Longer than anything may run: what is still open then has lost its process. */
export const OPEN_FOR_MS = 20 * 60 * SECOND_MS

/** Seal what is written, and anchor the head. */
export async function seal({ ledger, log }: Pick<Parts, 'ledger' | 'log'>): Promise<SealReport> {
  const report = await ledger.sealDue()
  if (report.anchorFailure !== undefined) log('error', 'anchor_failed', { reason: report.anchorFailure })
  return report
}

/** Approvals whose time is over; returns how many. */
export async function expire({ approvals, metrics }: Pick<Parts, 'approvals' | 'metrics'>): Promise<number> {
  const expired = await approvals.expireDue()
  for (let one = 0; one < expired; one++) metrics.noteApproval('timeout')
  return expired
}

/** Events that lost their process get the outcome `unknown`; returns how many. */
export function reconcile({ ledger }: Pick<Parts, 'ledger'>): Promise<number> {
  return ledger.reconcile(OPEN_FOR_MS)
}

type FigureParts = Pick<Parts, 'metrics' | 'pause' | 'approvals' | 'clock'> & {
  readonly recovery: Pick<Parts['recovery'], 'list'>
}

/** Figures that are read when somebody looks, and not counted. */
export function refreshFigures(parts: FigureParts): () => Promise<void> {
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
      parts.metrics.setLatestSnapshotAge(table, Math.max(0, (parts.clock.nowMs() - freshAtMs) / SECOND_MS))
    }
  }
}

/** Half of the age at which a point counts as stale, so that the next round comes in time. */
export function minimumAgeMs({ policy }: Pick<Parts, 'policy'>): number {
  return (policy.active().policy.max_snapshot_age_seconds * SECOND_MS) / 2
}

/** Capture what needs it, one table after the other, and tell what failed. */
export async function captureRound(parts: Parts): Promise<void> {
  const { metrics, recovery, settings, log } = parts
  const report = await recovery.runRound({ allowedTables: settings.snapshotTables, minimumAgeMs: minimumAgeMs(parts) })
  for (const point of report.captured) metrics.noteSnapshot('success', point.rowCount)
  for (const failure of report.failed) {
    metrics.noteSnapshot('failed', 0)
    await alertCaptureFailure(parts, `${failure.relation.schema}.${failure.relation.name}`, failure.code)
  }
  metrics.setCaptureHealth(report.failed.length === 0 ? 'healthy' : 'degraded')
  if (report.captured.length > 0 || report.failed.length > 0) {
    log('info', 'capture_round', {
      captured: report.captured.length,
      confirmed: report.confirmed.length,
      failed: report.failed.length,
    })
  }
}

export async function alertCaptureFailure(
  { alerts }: Pick<Parts, 'alerts'>,
  table: string,
  code: string,
): Promise<void> {
  await alerts.raise({
    severity: 'critical',
    eventType: 'snapshot_capture_failed',
    title: `No recovery point could be taken of ${table}`,
    recommendedAction:
      'Read the reason with "backstop snapshots list"; destructive work on this table is refused until it is mended.',
    facts: { table, code },
    dedupeKey: `capture:${table}`,
  })
}
