/** How many sessions of this process capture one large table. */
import { availableParallelism } from 'node:os'

/** One event loop decodes for two; with four a process needs more than 300 MiB. */
const MOST_BY_ITSELF = 2

/** As set, or with 0 one for each core but the one that decodes, at most two. */
export function captureWorkers(set: number): number {
  return set > 0 ? set : Math.max(1, Math.min(MOST_BY_ITSELF, availableParallelism() - 1))
}
