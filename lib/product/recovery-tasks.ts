/** The recurring work of recovery in one process: each run tells what is wrong, and notes what it did. */
import { epochMsOf, MINUTE_MS, SECOND_MS } from '#lib/kernel/index.ts'
import { drillAlerts, type RecoveryAlert, roundAlerts, verifyAlerts } from '#lib/recovery/index.ts'
import type { Parts } from './parts.ts'

const MEGABYTE = 1_048_576
const HOUR_MS = 60 * MINUTE_MS
const MOST_POINTS = 10_000

type RecoveryParts = Pick<Parts, 'recovery' | 'alerts' | 'metrics' | 'settings' | 'log' | 'clock'>

/** Half of the age at which a point counts as stale, so that the next round comes in time. */
export function minimumAgeMs({ policy }: Pick<Parts, 'policy'>): number {
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

/** Read stored points again within the budget of one run. */
export async function verifyPoints(parts: RecoveryParts): Promise<void> {
  const budgetBytes = parts.settings.verifyBudgetMegabytes * MEGABYTE
  const report = await parts.recovery.verifyPoints({ budgetBytes, maxPoints: MOST_POINTS })
  await raiseAll(parts, verifyAlerts(report))
  const { checked, corrupt, skipped, bytes } = report
  parts.log('info', 'points_verified', { checked, corrupt: corrupt.length, skipped: skipped.length, bytes })
}

/** Restore one table into scratch and compare it, when the last drill is longer ago than the interval, whenever the process was started. */
export async function drillWhenDue(parts: RecoveryParts): Promise<void> {
  const { drillIntervalHours, drillMaxMegabytes } = parts.settings
  if (drillIntervalHours === 0) return
  const { drills } = await parts.recovery.listDrills({ limit: 1 })
  const lastAt = drills[0]?.evidence.startedAt
  const agoMs = lastAt === undefined ? Number.POSITIVE_INFINITY : parts.clock.nowMs() - epochMsOf(lastAt)
  // A little early is better than an hour late; a drill from the future says nothing.
  if (agoMs >= 0 && agoMs < drillIntervalHours * HOUR_MS - MINUTE_MS) return
  const drill = await parts.recovery.runTableDrill({ maxBytes: drillMaxMegabytes * MEGABYTE })
  await raiseAll(parts, drillAlerts(drill))
  const { result, rtoSeconds, rpoSeconds } = drill.evidence
  parts.log('info', 'drill', { result, rtoSeconds, rpoSeconds, evidence: drill.key })
}

/** Look for agents that go round the gate; each finding is told once an hour. */
export async function watchSessions(parts: RecoveryParts): Promise<void> {
  const { agentRole } = parts.settings
  const report = await parts.recovery.runWatch({ agentRoles: agentRole === undefined ? [] : [agentRole] })
  for (const { user, applicationName } of report.sessions) parts.metrics.noteBypassConnection(user, applicationName)
  await raiseAll(parts, report.news)
  for (const { subject, reason } of report.newlySkipped) parts.log('info', 'watch_skipped', { subject, reason })
}

async function raiseAll({ alerts }: Pick<Parts, 'alerts'>, found: readonly RecoveryAlert[]): Promise<void> {
  for (const alert of found) await alerts.raise(alert)
}
