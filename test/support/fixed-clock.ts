/** A clock that stands still until a test moves it. */
import type { Clock } from '#lib/ports/index.ts'

export interface FixedClock extends Clock {
  advance(byMs: number): void
}

/** 2027-01-15T08:00:00.000Z */
export const FIXED_START_MS = 1_800_000_000_000

export function createFixedClock(startMs = FIXED_START_MS): FixedClock {
  let elapsedMs = 0
  return {
    nowMs: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    advance(byMs) {
      elapsedMs += byMs
    },
  }
}
