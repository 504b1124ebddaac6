/** Helpers in the same process: each range on a database session of its own that imports the snapshot. */
import type { Database } from '#lib/ports/index.ts'
import { captureRange } from './capture-range.ts'
import { DecoderShelf } from './decoder-shelf.ts'
import type { RangeHelpers, RangeOrder, RangeOutcome, RangePorts } from './model.ts'
import { inImportedSnapshot } from './transaction.ts'

const MEBIBYTE = 1_048_576
/** Below this the start of a second session costs more than it gains. */
const FROM_BYTES = 64 * MEBIBYTE
const RANGE_BYTES = 32 * MEBIBYTE
/** Of all sessions together; each has two groups in memory, and what they are compressed to. */
const GROUP_BYTES = 8 * MEBIBYTE
const LEAST_GROUP_BYTES = 4 * MEBIBYTE

/** What the table is cut into, and for whom it pays. */
export interface HelperSizes {
  /** Sessions that capture one table, with the one that holds its snapshot. */
  readonly workers: number
  readonly fromBytes?: number // default 64 MiB
  readonly rangeBytes?: number // default 32 MiB
}

export interface ImportPorts extends RangePorts {
  readonly database: Database
}

/** Capture one range in a snapshot that another session holds. Throws what `captureRange` and `inImportedSnapshot` throw. */
export async function captureImported(
  ports: ImportPorts,
  snapshotName: string,
  order: RangeOrder,
  signal?: AbortSignal,
): Promise<RangeOutcome> {
  const capture = (session: Parameters<typeof captureRange>[0]) => captureRange(session, order, ports)
  return await inImportedSnapshot(ports.database, snapshotName, [order.relation], capture, signal)
}

function sizesOfHelpers({ workers, fromBytes, rangeBytes }: HelperSizes) {
  return {
    count: Math.max(0, workers - 1),
    fromBytes: fromBytes ?? FROM_BYTES,
    rangeBytes: rangeBytes ?? RANGE_BYTES,
    groupBytes: Math.max(LEAST_GROUP_BYTES, Math.floor(GROUP_BYTES / Math.max(1, workers))),
  }
}

export function sessionHelpers(ports: ImportPorts, sizes: HelperSizes): RangeHelpers {
  const { groupBytes, ...shared } = sizesOfHelpers(sizes)
  // A capture is known by its signal; what it held goes with it.
  const shelves = new WeakMap<AbortSignal, DecoderShelf>()
  return {
    ...shared,
    groupBytes,
    run: (snapshotName, order, signal) => {
      const decoders = shelves.get(signal) ?? new DecoderShelf()
      shelves.set(signal, decoders)
      return captureImported({ ...ports, groupBytes, decoders }, snapshotName, order, signal)
    },
  }
}
