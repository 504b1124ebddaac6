/** What a call with an approval does about its ticket. Pure. */
import type { ApprovalState } from '#lib/gate/index.ts'
import { epochMsOf, MINUTE_MS } from '#lib/kernel/index.ts'
import type { TicketProgress } from './model.ts'

export type TicketStep =
  /** Write a ticket, or put a finished one back: the approval has not been used yet. */
  | 'queue'
  /** The message may be lost; a second one for the same ticket does nothing. */
  | 'send-again'
  | 'wait'
  | 'answer'
  /** Its process is gone in the middle: nobody knows what came of it, and it is never run again. */
  | 'lost'
  /** There is nothing to run: the gate says what is the matter with the approval. */
  | 'judge'

/** No function runs longer than 15 minutes. */
const LOST_AFTER_MS = 16 * MINUTE_MS
const SENT_AGAIN_AFTER_MS = MINUTE_MS

/** A clock that went back counts as no time at all. */
function ageMs(at: Parameters<typeof epochMsOf>[0], nowMs: number): number {
  return Math.max(0, nowMs - epochMsOf(at))
}

/** `approval`: the state of the caller's own approval; undefined: there is none of theirs. */
export function planTicket(
  approval: ApprovalState | undefined,
  progress: TicketProgress | undefined,
  nowMs: number,
): TicketStep {
  if (approval === undefined) return 'judge'
  if (progress === undefined) return approval === 'approved' ? 'queue' : 'judge'
  switch (progress.state) {
    case 'done':
      return approval === 'approved' ? 'queue' : 'answer'
    case 'running':
      return ageMs(progress.startedAt, nowMs) > LOST_AFTER_MS ? 'lost' : 'wait'
    case 'queued':
      return ageMs(progress.queuedAt, nowMs) > SENT_AGAIN_AFTER_MS ? 'send-again' : 'wait'
  }
}
