/** Repeats a compare-and-set that another write has overtaken. */
import { isBackstopError } from './errors/index.ts'

const ATTEMPTS = 64
const IMMEDIATE_ATTEMPTS = 8
const LONGEST_PAUSE_MS = 20

/**
 * Run `attempt` until no RECORD_CHANGED or RECORD_EXISTS comes of it; it must read afresh each time.
 *
 * Invariants: of several that contend for one record each round lets one pass, so that as many rounds as contenders are enough
 * Throws:     the conflict itself after 64 attempts; anything else at once
 */
export async function retryConflicts<T>(attempt: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round++) {
    try {
      return await attempt()
    } catch (error) {
      const isConflict = isBackstopError(error, 'RECORD_CHANGED') || isBackstopError(error, 'RECORD_EXISTS')
      if (!isConflict || round === ATTEMPTS) throw error
    }
    if (round > IMMEDIATE_ATTEMPTS) await pause(Math.random() * LONGEST_PAUSE_MS)
  }
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}
