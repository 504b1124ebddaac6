/** What a capture works with. */
import type { RelationName, SetId, SnapshotId } from '#lib/kernel/index.ts'
import type { Columnar, ObjectStore, Random, RecoveryPointOrigin } from '#lib/ports/index.ts'
import type { ColumnDefinition, ContentColumn, ManifestPart, TableDefinition } from '../manifest/index.ts'
import type { DecoderShelf } from './decoder-shelf.ts'
import type { BaseType } from './encoding.ts'
import type { PageRange } from './plan-ranges.ts'

/** A relation of the database, found by name. */
export interface FoundRelation {
  readonly relation: RelationName
  readonly oid: number
}

export interface ReadDefinition {
  readonly definition: TableDefinition
  readonly baseTypes: readonly BaseType[]
}

/** What the capture of one range of a table works with. */
export interface RangePorts {
  readonly objects: ObjectStore
  readonly columnar: Columnar
  readonly random: Random
  /** Of the capture at hand: one range after the other is decoded in the same memory. */
  readonly decoders?: DecoderShelf
  /** Values of a row group before compression; less where several ranges are captured in one process. */
  readonly groupBytes?: number // default 8 MiB
  /** A larger row is refused: several times its size is in memory while it is stored. */
  readonly maxRowBytes?: number // default MAX_ROW_BYTES
}

export interface CapturePorts extends RangePorts {
  /** `host:port/name` of the database. */
  readonly databaseLabel: string
  /** Who captures ranges of large tables beside the session at hand; absent: nobody. */
  readonly helpers?: RangeHelpers
}

export interface CaptureRequest {
  readonly relation: RelationName
  readonly snapshotId: SnapshotId
  readonly origin: RecoveryPointOrigin
  readonly capturedAtMs: number
  /** Given when the table is captured as one of a set. */
  readonly setId?: SetId
  /** Read before the transaction's snapshot was taken. */
  readonly lsn: string
  /** True when the transaction reads only: its snapshot then tells whether anything was written since. */
  readonly isSnapshotOwn: boolean
  /** Given when other sessions may share the snapshot: the name by which they import it. */
  exportName?(): Promise<string>
}

/** One range of a table to capture: plain JSON, so that another thread or another process can do it. */
export interface RangeOrder {
  readonly relation: RelationName
  readonly snapshotId: SnapshotId
  readonly columns: readonly ContentColumn[]
  /** A partitioned table is read with its partitions, and as a whole. */
  readonly isPartitioned: boolean
  /** A larger row is refused. */
  readonly maxRowBytes?: number | undefined // default MAX_ROW_BYTES
  readonly range: PageRange
}

export interface CapturedRange {
  readonly rowCount: number
  /** Of the range's rows: the table's is the sum. */
  readonly digest: string
  readonly parts: readonly ManifestPart[]
}

export type RangeOutcome =
  | ({ readonly ok: true } & CapturedRange)
  /** The encoding of this column cannot hold one of the values. Nothing was kept. */
  | { readonly ok: false; readonly columnIndex: number }

/** Others that capture ranges of a table beside the session that holds its snapshot. */
export interface RangeHelpers {
  /** How many ranges they can have in hand at a time. */
  readonly count: number
  /** A smaller table is not worth their while. */
  readonly fromBytes: number
  /** About how much of a table one range should hold. */
  readonly rangeBytes: number
  /** Row groups of the session that they help, where they share its memory. */
  readonly groupBytes?: number
  /** Capture one range in the exported snapshot. May be asked twice for one range: each time it stores parts of its own. */
  run(snapshotName: string, order: RangeOrder, signal: AbortSignal): Promise<RangeOutcome>
  /** Told of each helper that failed; its range is captured by the session that holds the snapshot. */
  noteFailure?(error: unknown): void
}

/** A column whose values are stored; generated ones are not. */
export function isStored(column: ColumnDefinition): boolean {
  return column.generated === null
}
