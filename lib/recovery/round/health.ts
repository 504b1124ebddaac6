/** Decides from points and from what captures have left behind which tables are in trouble. */
import type { RelationName } from '#lib/kernel/index.ts'
import { epochMsOf, quoteRelation } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { RoundFailure, RoundPolicy } from './model.ts'
import type { KnownPoint, TableState } from './plan.ts'
import { freshAtMs, isAllowed } from './plan.ts'
import type { CaptureState } from './state.ts'
import { isLeaseLive } from './state.ts'

export interface Health {
  readonly failing: readonly RoundFailure[]
  readonly overdue: readonly RelationName[]
}

/**
 * Effects:    pure
 * Invariants: a failure stands until a valid point of the same table is younger; a lease that ended without an outcome is a
 *             failure of the process that held it
 */
export function judgeHealth(
  tables: readonly TableState[],
  points: ReadonlyMap<string, KnownPoint>,
  states: ReadonlyMap<string, CaptureState>,
  policy: RoundPolicy,
  nowMs: number,
): Health {
  const failing: RoundFailure[] = []
  const overdue: RelationName[] = []
  for (const { relation, oid } of tables) {
    if (!isAllowed(relation, policy.allowedTables)) continue
    const known = points.get(quoteRelation(relation))?.point
    const point = known?.relationOid === oid ? known : undefined
    const failure = failureOf(relation, states.get(quoteRelation(relation)), point, nowMs)
    if (failure !== undefined) failing.push(failure)
    if (isOverdue(point, policy, nowMs)) overdue.push(relation)
  }
  return { failing, overdue }
}

function failureOf(
  relation: RelationName,
  state: CaptureState | undefined,
  point: RecoveryPoint | undefined,
  nowMs: number,
): RoundFailure | undefined {
  const isCovered = (at: string) => point !== undefined && epochMsOf(point.capturedAt) >= Date.parse(at)
  if (state?.lease !== undefined && !isLeaseLive(state, nowMs) && !isCovered(state.lease.startedAt)) {
    return { relation, code: 'CAPTURE_LOST', reason: 'the process that captured the table ended before it was done' }
  }
  const { failure } = state ?? {}
  if (failure === undefined || isCovered(failure.at)) return undefined
  return { relation, code: failure.code, reason: failure.reason, times: failure.times }
}

function isOverdue(point: RecoveryPoint | undefined, policy: RoundPolicy, nowMs: number): boolean {
  if (policy.overdueAfterMs === undefined || point === undefined) return false
  return nowMs - freshAtMs(point) > policy.overdueAfterMs
}
