/** Make sure that what a statement may destroy has a fresh, valid recovery point before anybody decides on it. */
import {
  displayRelation,
  epochMsOf,
  isBackstopError,
  quoteRelation,
  type RelationName,
  SECOND_MS,
} from '#lib/kernel/index.ts'
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

/** Points of one instant for tables that are only of use together: the newest set of them if it is fresh enough, else one captured now. */
async function freshSet(
  parts: Parts,
  group: readonly RelationName[],
  plan: RecoveryPlan,
): Promise<readonly RecoveryPoint[]> {
  const newest = await parts.recovery.findNewestValidSet(group)
  const isUsable = newest?.every((point) => isFresh(parts, point, plan.maxAgeSeconds)) === true && !plan.verifyObjects
  return isUsable && newest !== undefined ? newest : parts.recovery.captureSet(group, 'demand')
}

interface Need {
  readonly subject: string
  readonly failure: 'snapshot_verification' | 'group'
  secure(): Promise<readonly RecoveryPoint[]>
}

/** Groups first; a table that is in none alone. */
function needsOf(parts: Parts, plan: RecoveryPlan): readonly Need[] {
  const grouped = new Set(plan.readyGroups.flat().map(quoteRelation))
  const alone = plan.readyTables.filter((relation) => !grouped.has(quoteRelation(relation)))
  return [
    ...plan.readyGroups.map((group): Need => {
      const subject = `the group ${group.map(displayRelation).join(', ')}`
      return { subject, failure: 'group', secure: () => freshSet(parts, group, plan) }
    }),
    ...alone.map((relation): Need => {
      const secure = async () => [await freshPoint(parts, relation, plan)]
      return { subject: displayRelation(relation), failure: 'snapshot_verification', secure }
    }),
  ]
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
  for (const need of needsOf(parts, plan)) {
    try {
      points.push(...(await need.secure()))
      parts.observer.noteRecoveryVerification('verified')
    } catch (error) {
      if (!isBackstopError(error)) throw error
      parts.observer.noteRecoveryVerification('failed')
      parts.observer.noteReadiness(false, need.failure)
      return { ok: false, reason: `Recovery readiness failed for ${need.subject}: ${error.message} ${error.hint}` }
    }
  }
  parts.observer.noteReadiness(true, 'verified')
  return { ok: true, points }
}
