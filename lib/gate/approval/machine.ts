/** The state machine of an approval: which step may follow which, and what it writes down. */
import type { Instant } from '#lib/kernel/index.ts'
import { epochMsOf, instantFrom } from '#lib/kernel/index.ts'
import type { Approval, ApprovalDecision, ApprovalState } from './model.ts'
import type { ApprovalLimits } from './options.ts'

export const NEXT_STATES: Readonly<Record<ApprovalState, readonly ApprovalState[]>> = {
  pending: ['approved', 'denied', 'expired'],
  approved: ['consumed', 'expired'],
  denied: [],
  expired: [],
  consumed: [],
}

/** How far the clocks of two instances may differ. A record from further in the future shows that the clock went back. */
export const CLOCK_SKEW_MS = 60_000

export function isOpen(state: ApprovalState): boolean {
  return NEXT_STATES[state].length > 0
}

/** When the present state began, for an open approval. */
export function openSince(approval: Approval): Instant {
  return approval.decision?.decidedAt ?? approval.createdAt
}

/** True when it must go to `expired`: its time is over, or it comes from a future that a clock has left again. */
export function isOverdue(approval: Approval, nowMs: number): boolean {
  if (!isOpen(approval.state)) return false
  return nowMs >= epochMsOf(approval.expiresAt) || nowMs < epochMsOf(openSince(approval)) - CLOCK_SKEW_MS
}

export function decideApproval(
  approval: Approval,
  decision: Omit<ApprovalDecision, 'decidedAt'>,
  nowMs: number,
  limits: ApprovalLimits,
): Approval {
  const decided = { ...approval, decision: { ...decision, decidedAt: instantFrom(nowMs) } }
  if (decision.outcome === 'denied') return step(decided, 'denied')
  return step({ ...decided, expiresAt: instantFrom(nowMs + limits.validAfterDecisionMs) }, 'approved')
}

export function consumeApproval(
  approval: Approval,
  auditId: string,
  recoveryPoints: readonly string[],
  nowMs: number,
): Approval {
  return step(
    { ...approval, consumedAt: instantFrom(nowMs), auditId, claimedRecoveryPoints: [...recoveryPoints] },
    'consumed',
  )
}

export function expireApproval(approval: Approval): Approval {
  return step(approval, 'expired')
}

function step(approval: Approval, state: ApprovalState): Approval {
  if (!NEXT_STATES[approval.state].includes(state)) {
    throw new TypeError(`an approval cannot go from ${approval.state} to ${state}`)
  }
  return { ...approval, state }
}
