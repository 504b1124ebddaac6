/** The machine's own clock and source of randomness. */
import { randomBytes } from 'node:crypto'
import type { Clock, Random } from '#lib/ports/index.ts'

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
}
