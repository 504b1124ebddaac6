/** Counting attempts in a fixed window: from a tally and the limits to the next tally. */

/** The policy's numbers. */
export interface ConductLimits {
  /** 0 tolerates no attempt: the first one leads to quarantine, as with 1. */
  readonly maxAttempts: number
  /** 0: every attempt begins a window of its own. */
  readonly windowMs: number
  /** 0: nobody is quarantined. */
  readonly quarantineMs: number
}

export interface Tally {
  readonly windowStartedAtMs: number
  readonly attempts: number
  /** Both present from the attempt that began the quarantine on. */
  readonly quarantinedAtMs?: number
  readonly quarantinedUntilMs?: number
}

export type Counted =
  /** The principal is quarantined already: nothing is counted. */
  | { readonly outcome: 'ignored' }
  | { readonly outcome: 'counted'; readonly tally: Tally }
  | { readonly outcome: 'quarantined'; readonly tally: Tally }

export function isQuarantined(tally: Tally, nowMs: number): boolean {
  return tally.quarantinedUntilMs !== undefined && nowMs < tally.quarantinedUntilMs
}

/**
 * Count one attempt.
 *
 * Invariants: a window begins with its first attempt and ends after `windowMs`, or with the quarantine that it led to; a clock that
 *             went back keeps the window open
 * Effects:    pure
 */
export function countAttempt(previous: Tally | undefined, limits: ConductLimits, nowMs: number): Counted {
  if (previous !== undefined && isQuarantined(previous, nowMs)) return { outcome: 'ignored' }
  const continues = previous !== undefined && isSameWindow(previous, limits, nowMs)
  const windowStartedAtMs = continues ? previous.windowStartedAtMs : nowMs
  const attempts = continues ? previous.attempts + 1 : 1
  const tally = { windowStartedAtMs, attempts }
  if (attempts < limits.maxAttempts || limits.quarantineMs === 0) return { outcome: 'counted', tally }
  const quarantine = { quarantinedAtMs: nowMs, quarantinedUntilMs: nowMs + limits.quarantineMs }
  return { outcome: 'quarantined', tally: { ...tally, ...quarantine } }
}

function isSameWindow(tally: Tally, limits: ConductLimits, nowMs: number): boolean {
  return tally.quarantinedUntilMs === undefined && nowMs - tally.windowStartedAtMs < limits.windowMs
}
