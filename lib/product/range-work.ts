/** Ranges of large tables as work for other processes, and for other sessions of this one. */
import { isBackstopError } from '#lib/kernel/index.ts'
import { StatementError, type WorkQueue } from '#lib/ports/index.ts'
import { fanOutHelpers, type RangeHelpers, sendTo, sessionHelpers } from '#lib/recovery/index.ts'
import type { Log } from './log.ts'
import type { Foundation, Stores } from './model.ts'

type HelperStores = Pick<Stores, 'database' | 'objects' | 'columnar'>

/** The kind of work that carries one range of a table to whoever captures it. */
const RANGE_WORK = 'part'

const MEGABYTE = 1_048_576

/** How large a row may be, for whoever captures. */
export function captureLimits({ settings }: Pick<Foundation, 'settings'>): { readonly maxRowBytes: number } {
  return { maxRowBytes: settings.snapshotMaxRowMegabytes * MEGABYTE }
}

/** Other sessions of this process as helpers; `workers` counts the one that holds the snapshot. Undefined: one session is all there is. */
export function openSessionHelpers(
  { random, log }: Pick<Foundation, 'random' | 'log'>,
  stores: HelperStores,
  workers: number,
): RangeHelpers | undefined {
  if (workers < 2) return undefined
  return { ...sessionHelpers({ ...stores, random }, { workers }), noteFailure: noteGivenBack(log) }
}

/** Workers beyond the queue as helpers of the capture at hand. Undefined: switched off. */
export function openFanOut(
  { settings, records, clock, random, log }: Foundation,
  queue: WorkQueue,
): RangeHelpers | undefined {
  const { fanoutMegabytes, fanoutWorkers } = settings
  if (fanoutMegabytes === 0) return undefined
  const ports = { records, clock, random, send: sendTo(queue, RANGE_WORK), noteFailure: noteGivenBack(log) }
  return fanOutHelpers(ports, { workers: fanoutWorkers, fromBytes: fanoutMegabytes * MEGABYTE })
}

/** For helpers that gave a range back: their reason goes to the log, and the range to the session that holds the snapshot. */
export function noteGivenBack(log: Log): (error: unknown) => void {
  return (error) => log('warning', 'range_given_back', { reason: reasonOf(error) })
}

/** Messages of our own errors name objects and figures; of others nothing is shown but what they are. */
function reasonOf(error: unknown): string {
  if (isBackstopError(error)) return error.message
  if (error instanceof StatementError) return `SQLSTATE ${error.failure.sqlState}`
  return error instanceof Error ? error.name : 'unknown'
}
