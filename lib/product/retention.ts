/** Retention as the product runs it: what approvals count on stays, failures are told, pins and legal holds are audited. */
import type { ApprovalDesk, AuditLedger } from '#lib/gate/index.ts'
import { epochMsOf, isBackstopError, type JsonObject, MINUTE_MS, type SnapshotId } from '#lib/kernel/index.ts'
import { type Keep, type KeepKind, type RetentionReport, retentionAlerts } from '#lib/recovery/index.ts'
import type { Parts } from './model.ts'

const HOUR_MS = 60 * MINUTE_MS
const PAGE_APPROVALS = 500

export interface RetainOptions {
  readonly givenUp?: readonly string[]
  readonly isDryRun?: boolean
  readonly isClockTrusted?: boolean
  readonly signal?: AbortSignal
}

type PruneParts = Pick<Parts, 'recovery' | 'approvals' | 'settings'>
type RetainParts = PruneParts & Pick<Parts, 'alerts' | 'metrics' | 'log'>

/** Ids of the points that statements count on which are held, or approved and not yet executed. */
async function findNeeded(approvals: Pick<ApprovalDesk, 'list'>): Promise<readonly string[]> {
  const ids = new Set<string>()
  for (const state of ['pending', 'approved'] as const) {
    let cursor: string | undefined
    do {
      const page = await approvals.list({ state, limit: PAGE_APPROVALS, ...(cursor === undefined ? {} : { cursor }) })
      for (const { binding } of page.approvals) for (const id of binding.recoveryPoints) ids.add(id)
      cursor = page.cursor
    } while (cursor !== undefined)
  }
  return [...ids]
}

/** Remove what the settings do not keep, and tell nobody. */
export function prunePoints(
  { recovery, approvals, settings }: PruneParts,
  options: RetainOptions = {},
): Promise<RetentionReport> {
  return recovery.retain({ policy: settings.retention, findNeeded: () => findNeeded(approvals), ...options })
}

/** Remove what the settings do not keep; refusals are one alert until they are over. */
export async function retainPoints(parts: RetainParts, options: RetainOptions = {}): Promise<RetentionReport> {
  const report = await prunePoints(parts, options)
  const { removed, kept, swept, failed, skipped } = report
  parts.metrics.noteRetention('removed', removed.length)
  parts.metrics.noteRetention('kept', kept.length)
  parts.metrics.noteRetention('failed', failed.length)
  await parts.alerts.settle('retention', retentionAlerts(report))
  const bytes = [...removed, ...swept].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const counts = { removed: removed.length, kept: kept.length, leftovers: swept.length, bytes, failed: failed.length }
  parts.log('info', 'retention', { ...counts, skipped: skipped[0]?.reason ?? '' })
  return report
}

/** A run when the last one is longer ago than the interval, whenever the process was started. Undefined: not due, or switched off. */
export async function retainWhenDue(parts: RetainParts & Pick<Parts, 'clock'>): Promise<RetentionReport | undefined> {
  const { retentionIntervalHours } = parts.settings
  if (retentionIntervalHours === 0) return undefined
  const lastAt = await parts.recovery.findLastRetentionAt()
  const agoMs = lastAt === undefined ? Number.POSITIVE_INFINITY : parts.clock.nowMs() - epochMsOf(lastAt)
  // A little early is better than an hour late; a run from the future says nothing.
  const isRecent = agoMs >= 0 && agoMs < retentionIntervalHours * HOUR_MS - MINUTE_MS
  return isRecent ? undefined : await retainPoints(parts)
}

export interface KeepOrder {
  readonly snapshotId: SnapshotId
  readonly kind: KeepKind
  readonly reason: string
  readonly by: string
}

type KeepParts = Pick<Parts, 'recovery'> & { readonly ledger: AuditLedger }

/** Written down before it is done. Throws SNAPSHOT_MISSING, SNAPSHOT_RETIRED, SNAPSHOT_HELD, AUDIT_UNAVAILABLE. */
export function keepPoint(parts: KeepParts, order: KeepOrder): Promise<Keep> {
  const action = order.kind === 'pin' ? 'snapshot-pinned' : 'snapshot-held'
  return audited(parts.ledger, action, order, () => parts.recovery.keep(order))
}

/** `reason`: why it is lifted. Throws SNAPSHOT_NOT_KEPT, AUDIT_UNAVAILABLE. */
export function liftKeep(parts: KeepParts, order: KeepOrder): Promise<Keep> {
  const action = order.kind === 'pin' ? 'snapshot-unpinned' : 'snapshot-released'
  return audited(parts.ledger, action, order, () => parts.recovery.liftKeep(order.snapshotId, order.kind))
}

async function audited(
  ledger: AuditLedger,
  action: string,
  { snapshotId, reason, by }: KeepOrder,
  effect: () => Promise<Keep>,
): Promise<Keep> {
  const facts: JsonObject = { snapshotId, reason }
  const id = await ledger.begin({ action, principal: by, facts })
  try {
    const keep = await effect()
    await ledger.finish(id, { outcome: 'recorded' })
    return keep
  } catch (error) {
    const errorCode = isBackstopError(error) ? error.code : 'BUG'
    await ledger.finish(id, { outcome: 'failed', errorCode })
    throw error
  }
}
