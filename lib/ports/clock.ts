/** The time. Everything that depends on now asks this, so that tests can set it. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. May jump in either direction; never used to measure a duration. */
  nowMs(): number
  /** Milliseconds from an arbitrary start, never going back: for durations and deadlines. */
  monotonicMs(): number
}
