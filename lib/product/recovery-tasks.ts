/** The recurring work of recovery, whoever calls it when: each runs, tells what is wrong, and says what it skipped. */
import { epochMsOf, MINUTE_MS, SECOND_MS } from '#lib/kernel/index.ts'
import type { WorkQueue } from '#lib/ports/index.ts'
import {
  type CaptureOrder,
  type CaptureOutcome,
  captureFailedAlert,
  drillAlerts,
  type RecoveryAlert,
  type RoundPlan,
  roundAlerts,
  type StopOptions,
  type StoredDrill,
  type VerifyPointsReport,
  verifyAlerts,
  type WatchReport,
} from '#lib/recovery/index.ts'
import type { Parts } from './parts.ts'

/** Kind of the work items whose body is a `CaptureOrder`. */
/** The kind of work that carries a capture order to whoever takes it. */
export const CAPTURE_WORK = 'capture'

const MEGABYTE = 1_048_576
const HOUR_MS = 60 * MINUTE_MS
const MOST_POINTS = 10_000

type RecoveryParts = Pick<Parts, 'recovery' | 'alerts' | 'metrics' | 'settings' | 'log' | 'clock'>

/** Half of the age at which a point counts as stale, so that the next round comes in time. */
function minimumAgeMs({ policy }: Pick<Parts, 'policy'>): number {
  return (policy.active().policy.max_snapshot_age_seconds * SECOND_MS) / 2
}

/** Capture what needs it, one table after the other. */
export async function captureRound(parts: RecoveryParts & Pick<Parts, 'policy'>): Promise<void> {
  const { metrics, recovery, settings, log } = parts
  const report = await recovery.runRound({ allowedTables: settings.snapshotTables, minimumAgeMs: minimumAgeMs(parts) })
  for (const point of report.captured) metrics.noteSnapshot('success', point.rowCount)
  for (const _failure of report.failed) metrics.noteSnapshot('failed', 0)
  await raiseAll(parts, roundAlerts({ ...report, failing: report.failed }))
  metrics.setCaptureHealth(report.failed.length === 0 ? 'healthy' : 'degraded')
  if (report.captured.length > 0 || report.failed.length > 0) {
    log('info', 'capture_round', {
      captured: report.captured.length,
      confirmed: report.confirmed.length,
      failed: report.failed.length,
    })
  }
}

/** Send an order for each table that needs a copy. Of failed captures the workers tell; of those without a worker, this. */
export async function orderCaptures(
  parts: RecoveryParts & Pick<Parts, 'policy'>,
  queue: Pick<WorkQueue, 'send'>,
): Promise<RoundPlan> {
  const staleAfterMs = parts.policy.active().policy.max_snapshot_age_seconds * SECOND_MS
  const plan = await parts.recovery.planRound({
    allowedTables: parts.settings.snapshotTables,
    minimumAgeMs: minimumAgeMs(parts),
    overdueAfterMs: staleAfterMs,
  })
  for (const order of plan.captures) {
    const { dedupeKey, relation } = order
    // Captures of one table follow each other; the key makes orders for one need one.
    const groupKey = JSON.stringify([relation.schema, relation.name])
    await queue.send(CAPTURE_WORK, { ...order, relation: { ...relation } }, { dedupeKey, groupKey })
  }
  const failing = plan.failing.filter(({ code }) => code === 'CAPTURE_LOST')
  await raiseAll(parts, roundAlerts({ ...plan, failing }))
  parts.metrics.setCaptureHealth(plan.failing.length === 0 && plan.overdue.length === 0 ? 'healthy' : 'degraded')
  return plan
}

/** Carry out one order. A table that fails is told and noted; the order needs no second delivery. */
export async function captureTable(
  parts: RecoveryParts,
  order: CaptureOrder,
  stop: StopOptions = {},
): Promise<CaptureOutcome> {
  const outcome = await parts.recovery.captureOne(order, stop)
  if (outcome.status === 'captured') parts.metrics.noteSnapshot('success', outcome.point.rowCount)
  if (outcome.status === 'failed') {
    parts.metrics.noteSnapshot('failed', 0)
    await raiseAll(parts, [captureFailedAlert(outcome.failure)])
  }
  return outcome
}

/** Read stored points again within the budget of one run. */
export async function verifyPoints(parts: RecoveryParts, signal?: AbortSignal): Promise<VerifyPointsReport> {
  const report = await parts.recovery.verifyPoints({
    budgetBytes: parts.settings.verifyBudgetMegabytes * MEGABYTE,
    maxPoints: MOST_POINTS,
    ...(signal === undefined ? {} : { signal }),
  })
  await raiseAll(parts, verifyAlerts(report))
  const { checked, corrupt, skipped, bytes } = report
  parts.log('info', 'points_verified', { checked, corrupt: corrupt.length, skipped: skipped.length, bytes })
  return report
}

/** Restore one table into scratch and compare it. */
export async function drillTable(parts: RecoveryParts, signal?: AbortSignal): Promise<StoredDrill> {
  const drill = await parts.recovery.runTableDrill({
    maxBytes: parts.settings.drillMaxMegabytes * MEGABYTE,
    ...(signal === undefined ? {} : { signal }),
  })
  await raiseAll(parts, drillAlerts(drill))
  const { result, rtoSeconds, rpoSeconds } = drill.evidence
  parts.log('info', 'drill', { result, rtoSeconds, rpoSeconds, evidence: drill.key })
  return drill
}

/** A drill when the last one is longer ago than the interval, whenever the process was started. Undefined: not due, or switched off. */
export async function drillWhenDue(parts: RecoveryParts): Promise<StoredDrill | undefined> {
  const { drillIntervalHours } = parts.settings
  if (drillIntervalHours === 0) return undefined
  const { drills } = await parts.recovery.listDrills({ limit: 1 })
  const lastAt = drills[0]?.evidence.startedAt
  const agoMs = lastAt === undefined ? Number.POSITIVE_INFINITY : parts.clock.nowMs() - epochMsOf(lastAt)
  // A little early is better than an hour late; a drill from the future says nothing.
  const isRecent = agoMs >= 0 && agoMs < drillIntervalHours * HOUR_MS - MINUTE_MS
  return isRecent ? undefined : await drillTable(parts)
}

/** Look for agents that go round the gate; each finding is told once an hour. */
export async function watchSessions(parts: RecoveryParts): Promise<WatchReport> {
  const { agentRole } = parts.settings
  const report = await parts.recovery.runWatch({ agentRoles: agentRole === undefined ? [] : [agentRole] })
  for (const { user, applicationName } of report.sessions) parts.metrics.noteBypassConnection(user, applicationName)
  await raiseAll(parts, report.news)
  for (const { subject, reason } of report.newlySkipped) parts.log('info', 'watch_skipped', { subject, reason })
  return report
}

async function raiseAll({ alerts }: Pick<Parts, 'alerts'>, found: readonly RecoveryAlert[]): Promise<void> {
  for (const alert of found) await alerts.raise(alert)
}
