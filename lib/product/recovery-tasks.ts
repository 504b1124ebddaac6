/** The recurring work of recovery, whoever calls it when: each runs, tells what is wrong, and says what it skipped. */
import { recoveryGroups } from '#lib/gate/index.ts'
import { SECOND_MS } from '#lib/kernel/index.ts'
import type { WorkQueue } from '#lib/ports/index.ts'
import {
  type CaptureOrder,
  type CaptureOutcome,
  captureLostAlert,
  type RecoveryAlert,
  type RoundPlan,
  type RoundPolicy,
  roundAlerts,
  type StopOptions,
  type VerifyPointsReport,
  verifyAlerts,
} from '#lib/recovery/index.ts'
import { type CaptureHealthParts, settleFailures, tellUnlessStorage, watchingStorage } from './capture-health.ts'
import { sendOrder } from './capture-work.ts'
import type { Parts } from './model.ts'

const MEGABYTE = 1_048_576
const MOST_POINTS = 10_000

type RecoveryParts = Pick<Parts, 'recovery' | 'metrics' | 'log' | 'clock'> & CaptureHealthParts

/** Two rounds before a point is stale there is one left to mend what the next does not reach. */
const ROUNDS_BEFORE_STALE = 2

/** Half of the age at which a point counts as stale, so that the next round comes in time. */
function roundPolicy({ policy, settings }: Pick<Parts, 'policy' | 'settings'>): RoundPolicy {
  const staleAfterMs = policy.active().policy.max_snapshot_age_seconds * SECOND_MS
  const roundMs = settings.snapshotIntervalSeconds * SECOND_MS
  return {
    allowedTables: settings.snapshotTables,
    minimumAgeMs: staleAfterMs / 2,
    latestAgeMs: Math.max(staleAfterMs / 2, staleAfterMs - ROUNDS_BEFORE_STALE * roundMs),
    compareBudgetBytes: settings.compareBudgetMegabytes * MEGABYTE,
    groups: recoveryGroups(policy.active().policy),
    isForeignKeyGrouping: policy.active().policy.foreign_key_grouping_enabled,
  }
}

/** Capture what needs it, one table after the other. */
export async function captureRound(
  parts: RecoveryParts & Pick<Parts, 'policy'>,
  stop: StopOptions = {},
): Promise<void> {
  const { metrics, recovery, log } = parts
  const order = roundPolicy(parts)
  const report = await watchingStorage(parts, () => recovery.runRound(order, stop))
  for (const point of report.captured) metrics.noteSnapshot('success', point.rowCount)
  for (const { code } of report.failed) metrics.noteSnapshot(snapshotOutcome(code), 0)
  tellRegained(parts, report)
  await raiseAll(parts, roundAlerts({ failing: [], overdue: [], quarantined: report.quarantined }))
  const lostNow = report.failed.filter(({ code }) => code === 'CAPTURE_LOST')
  await raiseAll(parts, [...report.lost, ...lostNow.map(({ relation }) => relation)].map(captureLostAlert))
  await settleFailures(parts, report.failed)
  metrics.setCaptureHealth(report.failed.length === 0 ? 'healthy' : 'degraded')
  if (report.captured.length > 0 || report.failed.length > 0) {
    log('info', 'capture_round', {
      captured: report.captured.length,
      confirmed: report.confirmed.length,
      failed: report.failed.length,
    })
  }
}

function tellRegained({ log }: RecoveryParts, { regained }: Pick<RoundPlan, 'regained'>): void {
  if (regained.length > 0) log('info', 'points_regained', { points: regained.length })
}

const UNPROVEN_CODES: ReadonlySet<string> = new Set(['SNAPSHOT_CORRUPT', 'MANIFEST_INVALID', 'OBJECT_MISSING'])

function snapshotOutcome(code: string): 'failed' | 'verification_failed' | 'metadata_failed' {
  if (code === 'METADATA_UNREACHABLE') return 'metadata_failed'
  return UNPROVEN_CODES.has(code) ? 'verification_failed' : 'failed'
}

/** Send an order for each table that needs a copy, and tell of tables that fail, wherever they do. */
export async function orderCaptures(
  parts: RecoveryParts & Pick<Parts, 'policy'>,
  queue: Pick<WorkQueue, 'send'>,
  largeBytes?: number,
): Promise<RoundPlan> {
  const staleAfterMs = parts.policy.active().policy.max_snapshot_age_seconds * SECOND_MS
  const order = { ...roundPolicy(parts), overdueAfterMs: staleAfterMs }
  const plan = await watchingStorage(parts, () => parts.recovery.planRound(order))
  for (const capture of plan.captures) await sendOrder(queue, capture, largeBytes)
  tellRegained(parts, plan)
  await raiseAll(parts, roundAlerts({ failing: [], overdue: [], quarantined: plan.quarantined }))
  await settleFailures(parts, plan.failing)
  await parts.alerts.settle('stale', roundAlerts({ failing: [], quarantined: [], overdue: plan.overdue }))
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
    parts.metrics.noteSnapshot(snapshotOutcome(outcome.failure.code), 0)
    await tellUnlessStorage(parts, outcome.failure)
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
  const { checked, corrupt, skipped, unread, bytes } = report
  parts.metrics.noteVerified({ ok: checked - corrupt.length, corrupt: corrupt.length, unread }, bytes)
  parts.log('info', 'points_verified', { checked, corrupt: corrupt.length, skipped: skipped.length, bytes })
  return report
}

async function raiseAll({ alerts }: Pick<Parts, 'alerts'>, found: readonly RecoveryAlert[]): Promise<void> {
  for (const alert of found) await alerts.raise(alert)
}
