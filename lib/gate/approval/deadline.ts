/**
 * Deadlines on the clock that never goes back: turning the wall clock back extends nothing that this desk has seen.
 *
 * A desk that comes to an approval only afterwards, in another process or after a restart, has the wall clock alone: there it can
 * live longer by as much as the clock went back, and not at all when it then lies more than CLOCK_SKEW_MS in the future.
 */
import { epochMsOf } from '#lib/kernel/index.ts'
import type { Clock } from '#lib/ports/index.ts'
import { isOpen, openSince } from './machine.ts'
import type { Approval } from './model.ts'

export interface Deadlines {
  /** Take note of an approval as it is now. The first sight of a state sets its deadline. */
  note(approval: Approval): void
  isOver(approval: Approval): boolean
  /** For an approval that is no longer kept. */
  forget(id: string): void
  /** Ids whose deadline is over. */
  listOver(): readonly string[]
}

interface Deadline {
  readonly state: string
  readonly monotonicMs: number
}

export function createDeadlines(clock: Clock): Deadlines {
  const deadlines = new Map<string, Deadline>()
  const isPast = (deadline: Deadline | undefined) =>
    deadline !== undefined && clock.monotonicMs() >= deadline.monotonicMs

  return {
    note(approval) {
      if (!isOpen(approval.state)) deadlines.delete(approval.id)
      else if (deadlines.get(approval.id)?.state !== approval.state) {
        const monotonicMs = clock.monotonicMs() + remainingMs(approval, clock.nowMs())
        deadlines.set(approval.id, { state: approval.state, monotonicMs })
      }
    },
    forget: (id) => void deadlines.delete(id),
    isOver: ({ id, state }) => deadlines.get(id)?.state === state && isPast(deadlines.get(id)),
    listOver: () => [...deadlines].filter(([, deadline]) => isPast(deadline)).map(([id]) => id),
  }
}

function remainingMs(approval: Approval, nowMs: number): number {
  const endMs = epochMsOf(approval.expiresAt)
  return Math.min(endMs - nowMs, endMs - epochMsOf(openSince(approval)))
}
