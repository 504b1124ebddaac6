/** The recurring work, whoever calls it when. */
import type { SealReport } from '#lib/gate/index.ts'
import { epochMsOf, SECOND_MS } from '#lib/kernel/index.ts'
import type { Parts } from './model.ts'

/** Longer than anything may run: what is still open then has lost its process. */
const OPEN_FOR_MS = 20 * 60 * SECOND_MS

/** Seal what is written, and anchor the head. */
export async function seal({ ledger, log }: Pick<Parts, 'ledger' | 'log'>): Promise<SealReport> {
  const report = await ledger.sealDue()
  if (report.anchorFailure !== undefined) log('error', 'anchor_failed', { reason: report.anchorFailure })
  return report
}

/** Approvals whose time is over; returns how many. */
export async function expire({
  approvals,
  metrics,
  alerts,
}: Pick<Parts, 'approvals' | 'metrics' | 'alerts'>): Promise<number> {
  const expired = await approvals.expireDue()
  for (let one = 0; one < expired; one++) metrics.noteApproval('timeout')
  if (expired > 0) {
    await alerts.raise({
      severity: 'warning',
      eventType: 'approval_timeout',
      title: `${expired === 1 ? 'A held statement' : `${expired} held statements`} expired: nobody decided in time`,
      recommendedAction: 'See GET /approvals?state=expired; make sure that somebody is told of approval_requested.',
      facts: { expired },
    })
  }
  return expired
}

/** Events that lost their process get the outcome `unknown`; returns how many. */
export function reconcile({ ledger }: Pick<Parts, 'ledger'>): Promise<number> {
  return ledger.reconcile(OPEN_FOR_MS)
}

type FigureParts = Pick<Parts, 'metrics' | 'pause' | 'approvals' | 'clock'> & {
  readonly recovery: Pick<Parts['recovery'], 'list' | 'listDrills'>
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
    await refreshDrills(parts)
  }
}

const MOST_DRILLS = 500

/** Of each kind the newest that went well; one that never did has no age. */
async function refreshDrills({ metrics, recovery, clock }: Pick<FigureParts, 'metrics' | 'recovery' | 'clock'>) {
  const { drills } = await recovery.listDrills({ limit: MOST_DRILLS })
  const seen = new Set<string>()
  for (const { evidence } of drills) {
    if (evidence.result !== 'ok' || seen.has(evidence.kind)) continue
    seen.add(evidence.kind)
    const ageMs = clock.nowMs() - epochMsOf(evidence.startedAt)
    metrics.setDrillAge(evidence.kind, Math.max(0, ageMs / SECOND_MS))
  }
}
