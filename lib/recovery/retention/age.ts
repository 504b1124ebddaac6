/** Which of two points is newer, and whether an instant can be believed. */
import type { Instant } from '#lib/kernel/index.ts'
import { epochMsOf } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { CLOCK_SKEW_MS } from '../catalog/index.ts'

/** By time, and by id where that is the same. */
export function newestFirst(left: RecoveryPoint, right: RecoveryPoint): number {
  const [a, b] = [`${left.capturedAt}#${left.snapshotId}`, `${right.capturedAt}#${right.snapshotId}`]
  return a < b ? 1 : a > b ? -1 : 0
}

/** False: a wrong clock wrote it. */
export function isTrusted(at: Instant, nowMs: number): boolean {
  return epochMsOf(at) <= nowMs + CLOCK_SKEW_MS
}
