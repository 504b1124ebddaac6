/** Helpers in other processes: each range is an order on a queue, and its result a record that is waited for. */
import { BackstopError, displayRelation } from '#lib/kernel/index.ts'
import type { Random, WorkQueue } from '#lib/ports/index.ts'
import type { RangeHelpers, RangeOrder, RangeOutcome } from '../snapshot/index.ts'
import type { RangeWork } from './model.ts'
import { encodeRangeWork, outcomeOf } from './model.ts'
import type { ResultPorts } from './result-record.ts'
import { findResult, settleOrder } from './result-record.ts'

const ORDER_ID_BYTES = 16
const MEBIBYTE = 1_048_576
/** A range takes some seconds; more are spent on the way to a worker and back. */
const RANGE_BYTES = 128 * MEBIBYTE
/** So many ranges at least, that no worker waits for the last one of another. */
const LEAST_RANGES = 8
const LOOK_EVERY_MS = 500
/** For a worker that starts cold, waits for a place, dies and is replaced. */
const PATIENCE_MS = 5 * 60_000

export interface FanOutSizes {
  /** Orders that are out at a time. */
  readonly workers: number
  /** Smaller tables are captured by one process. */
  readonly fromBytes: number
  readonly patienceMs?: number // default five minutes
  readonly lookEveryMs?: number // default 500
}

export interface FanOutPorts extends ResultPorts {
  readonly random: Random
  /** Sends the order to whoever carries it out with `carryOutRange`. */
  readonly send: (work: RangeWork, body: ReturnType<typeof encodeRangeWork>) => Promise<unknown>
  noteFailure?(error: unknown): void
}

/** For the queue's options: orders of one table are carried out at the same time, and each is sent once. */
export function sendTo(queue: WorkQueue, kind: string): FanOutPorts['send'] {
  return ({ orderId }, body) => queue.send(kind, body, { dedupeKey: orderId, groupKey: orderId })
}

export function fanOutHelpers(ports: FanOutPorts, sizes: FanOutSizes): RangeHelpers {
  const { workers, fromBytes } = sizes
  const rangeBytes = Math.max(1, Math.min(RANGE_BYTES, Math.floor(fromBytes / LEAST_RANGES)))
  return {
    count: workers,
    fromBytes,
    rangeBytes,
    run: (snapshotName, order, signal) => captureElsewhere(ports, sizes, { snapshotName, order, signal }),
    ...(ports.noteFailure === undefined ? {} : { noteFailure: ports.noteFailure }),
  }
}

interface Asked {
  readonly snapshotName: string
  readonly order: RangeOrder
  readonly signal: AbortSignal
}

/** Throws RANGE_NOT_CAPTURED when a worker could not, or none has answered in time; the order is then withdrawn. */
async function captureElsewhere(
  ports: FanOutPorts,
  { patienceMs = PATIENCE_MS, lookEveryMs = LOOK_EVERY_MS }: FanOutSizes,
  { snapshotName, order, signal }: Asked,
): Promise<RangeOutcome> {
  const orderId = Buffer.from(ports.random.bytes(ORDER_ID_BYTES)).toString('hex')
  const work: RangeWork = { orderId, snapshotName, order }
  await ports.send(work, encodeRangeWork(work))
  const lookUntilMs = performance.now() + patienceMs
  let result = await findResult(ports, work)
  while (result === undefined && !signal.aborted && performance.now() < lookUntilMs) {
    await pause(lookEveryMs, signal)
    result = await findResult(ports, work)
  }
  const settled = result ?? (await settleOrder(ports, work, { status: 'withdrawn' }))
  const outcome = outcomeOf(settled)
  if (outcome !== undefined) return outcome
  const why = settled.status === 'failed' ? `${settled.code}: ${settled.reason}` : 'no worker has answered in time'
  const what = `range ${order.range.index} of ${displayRelation(order.relation)}`
  throw new BackstopError('RANGE_NOT_CAPTURED', `${what} was not captured by a worker: ${why}`)
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
