/** Decides what a run does with the point that is due next. */
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { VerifyPointsRequest } from './model.ts'

export interface Spent {
  readonly points: number
  readonly bytes: number
}

export type CheckDecision =
  | { readonly action: 'read' }
  /** Nothing to judge here, now or later. */
  | { readonly action: 'forget'; readonly reason: string }
  /** Goes to the end of the line. */
  | { readonly action: 'pass'; readonly reason: string }
  /** The run is over; this point comes first in the next one. */
  | { readonly action: 'stop'; readonly reason: string }

/** Effects: pure */
export function decideCheck(
  point: RecoveryPoint | undefined,
  spent: Spent,
  request: VerifyPointsRequest,
): CheckDecision {
  if (spent.points >= request.maxPoints)
    return { action: 'stop', reason: `the run looks at ${request.maxPoints} points` }
  if (point === undefined) return { action: 'forget', reason: 'it is no longer in the catalog' }
  if (point.status !== 'valid') return { action: 'forget', reason: `it is ${point.status}` }
  if (point.sizeBytes > request.budgetBytes) {
    const reason = `its ${point.sizeBytes} bytes are more than the ${request.budgetBytes} of a whole run; raise the budget`
    return { action: 'pass', reason }
  }
  if (spent.bytes + point.sizeBytes > request.budgetBytes) {
    return { action: 'stop', reason: `the ${request.budgetBytes} bytes of the run are used up` }
  }
  return { action: 'read' }
}
