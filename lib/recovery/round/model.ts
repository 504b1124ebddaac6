/** What a round of background capture is asked for, what it orders and what came of it. */
import type { Instant, RelationName, SnapshotId } from '#lib/kernel/index.ts'
import type {
  Clock,
  Database,
  ObjectStore,
  Random,
  RecordStore,
  RecoveryPoint,
  RecoveryPointOrigin,
} from '#lib/ports/index.ts'
import type { PointCatalog } from '../catalog/index.ts'
import type { StopOptions } from '../stoppable.ts'

export interface RoundPorts {
  readonly database: Database
  readonly objects: ObjectStore
  readonly records: RecordStore
  readonly catalog: PointCatalog
  readonly clock: Clock
  readonly random: Random
  capture(relation: RelationName, origin: RecoveryPointOrigin, stop: StopOptions): Promise<RecoveryPoint>
}

export interface RoundPolicy {
  /** Only these, as `schema.table` or `table` in any schema; empty: every table. */
  readonly allowedTables: readonly string[]
  /** A point younger than this is good enough. */
  readonly minimumAgeMs: number
  /** A table whose newest point is older than this makes the heartbeat unhealthy. Absent: none does. */
  readonly overdueAfterMs?: number
}

export type CaptureReason = 'no-point' | 'changed' | 'new-table' | 'damaged'

/** One table to capture: the body of a work item, plain JSON. */
export interface CaptureOrder {
  readonly relation: RelationName
  /** As the plan saw it. */
  readonly relationOid: number
  readonly origin: RecoveryPointOrigin
  readonly because: CaptureReason
  /** A point of the same table younger than this makes the order done. */
  readonly minimumAgeMs: number
  /** The same for every plan that sees the same need within a period; safe as a queue's deduplication id. */
  readonly dedupeKey: string
}

export interface RoundFailure {
  readonly relation: RelationName
  readonly code: string
  readonly reason: string
}

export interface KeptTable {
  readonly relation: RelationName
  /** `fresh`, `not-allowed` or `being-captured`. */
  readonly reason: string
}

export interface QuarantinedPoint {
  readonly snapshotId: SnapshotId
  readonly relation: RelationName
  readonly reason: string
}

/** Everything of a round but the copies. */
export interface RoundPlan {
  /** The table whose point is oldest comes first. */
  readonly captures: readonly CaptureOrder[]
  readonly confirmed: readonly RecoveryPoint[]
  readonly kept: readonly KeptTable[]
  readonly quarantined: readonly QuarantinedPoint[]
  /** Tables whose last capture failed, here or in any other process, and that no valid point has covered since. */
  readonly failing: readonly RoundFailure[]
  /** Tables whose newest point is older than the policy's `overdueAfterMs`. */
  readonly overdue: readonly RelationName[]
}

export interface RoundReport extends Omit<RoundPlan, 'captures' | 'failing'> {
  readonly captured: readonly RecoveryPoint[]
  readonly failed: readonly RoundFailure[]
}

/** What came of one order. Only `failed` is worth an alert. */
export type CaptureOutcome =
  | { readonly status: 'captured'; readonly point: RecoveryPoint }
  /** A point that is young enough, or the one that this very order has brought before. */
  | { readonly status: 'fresh'; readonly point: RecoveryPoint }
  /** Another worker is at it. */
  | { readonly status: 'busy'; readonly until: Instant }
  /** The table is no more. */
  | { readonly status: 'gone' }
  | {
      readonly status: 'failed'
      readonly failure: RoundFailure
      /** How many times in a row. */
      readonly times: number
      /** Prefix under which parts may have stayed, when they could not be taken back in time. */
      readonly leftover?: string
    }
