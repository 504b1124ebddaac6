/** Make sure that what a statement may destroy has a fresh, valid recovery point before anybody decides on it. */
import { displayRelation, epochMsOf, isBackstopError, type RelationName, SECOND_MS } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { RecoveryPlan } from '../policy/index.ts'
import type { GateParts } from './parts.ts'
import type { Readiness } from './submission.ts'

type Parts = Pick<GateParts, 'recovery' | 'clock' | 'observer'>

function ageSeconds(parts: Parts, at: string): number {
  return Math.max(0, (parts.clock.nowMs() - epochMsOf(at as RecoveryPoint['capturedAt'])) / SECOND_MS)
}

async function heartbeatProblem(parts: Parts, plan: RecoveryPlan): Promise<string | undefined> {
  if (plan.maxHeartbeatSeconds === undefined) return undefined
  const heartbeat = await parts.recovery.findHeartbeat()
  if (heartbeat === undefined) return 'the background capture has not reported yet'
  const age = ageSeconds(parts, heartbeat.at)
  if (age <= plan.maxHeartbeatSeconds) return undefined
  return `the background capture last reported ${Math.round(age)} s ago, more than ${plan.maxHeartbeatSeconds} s`
}

/** Clocks of two machines may differ by so much; a point from further ahead says nothing about its age. */
const CLOCK_SKEW_SECONDS = 60

/** Negative: it was captured, or proven, by a clock that was ahead of ours. */
function isFresh(parts: Parts, point: RecoveryPoint, maxAgeSeconds: number): boolean {
  const nowMs = parts.clock.nowMs()
  const agesSeconds = [point.confirmedAt, point.capturedAt].flatMap((at) =>
    at === undefined ? [] : [(nowMs - epochMsOf(at)) / SECOND_MS],
  )
  const trusted = agesSeconds.find((age) => age >= -CLOCK_SKEW_SECONDS)
  return trusted !== undefined && trusted <= maxAgeSeconds
}

/** The newest valid point if it is fresh enough, else one captured now. Throws what makes a point invalid. */
async function freshPoint(parts: Parts, relation: RelationName, plan: RecoveryPlan): Promise<RecoveryPoint> {
  const newest = await parts.recovery.findNewestValid(relation)
  if (newest !== undefined && !plan.verifyObjects && isFresh(parts, newest, plan.maxAgeSeconds)) return newest
  return parts.recovery.capture(relation, 'demand')
}

/** Cover every table of the plan, capturing where a point is missing or stale. */
export async function ensureReady(parts: Parts, plan: RecoveryPlan): Promise<Readiness> {
  if (!plan.required) return { ok: true, points: [] }
  const problem = await heartbeatProblem(parts, plan)
  if (problem !== undefined) {
    parts.observer.noteReadiness(false, 'readiness')
    return { ok: false, reason: `Recovery readiness failed: ${problem}.` }
  }
  const points: RecoveryPoint[] = []
  for (const relation of plan.readyTables) {
    try {
      points.push(await freshPoint(parts, relation, plan))
      parts.observer.noteRecoveryVerification('verified')
    } catch (error) {
      if (!isBackstopError(error)) throw error
      parts.observer.noteRecoveryVerification('failed')
      parts.observer.noteReadiness(false, 'snapshot_verification')
      return {
        ok: false,
        reason: `Recovery readiness failed for ${displayRelation(relation)}: ${error.message} ${error.hint}`,
      }
    }
  }
  parts.observer.noteReadiness(true, 'verified')
  return { ok: true, points }
}
