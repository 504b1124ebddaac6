/** A clock that goes on by itself, and whose date a test sets forward or back; what has passed it knows as before. */
import type { Clock } from '#lib/ports/index.ts'

export interface JumpingClock extends Clock {
  jump(byMs: number): void
  jumpTo(nowMs: number): void
  /** As time passes. */
  advance(byMs: number): void
}

export function createJumpingClock(startMs = Date.parse('2027-01-15T08:00:00Z')): JumpingClock {
  let dateMs = startMs
  let elapsedMs = 0
  return {
    nowMs: () => dateMs,
    monotonicMs: () => elapsedMs,
    jump: (byMs) => {
      dateMs += byMs
    },
    jumpTo: (nowMs) => {
      dateMs = nowMs
    },
    advance: (byMs) => {
      dateMs += byMs
      elapsedMs += byMs
    },
  }
}
