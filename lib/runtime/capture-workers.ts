/** How many sessions of this process capture one large table. */
import { availableParallelism } from 'node:os'

const MOST_BY_ITSELF = 4

/** As set, or with 0 one for each core, at most four. */
export function captureWorkers(set: number): number {
  return set > 0 ? set : Math.min(MOST_BY_ITSELF, availableParallelism())
}
