/** What a round of background capture is asked for, what it orders and what came of it. */
import type { Instant, RelationName, SnapshotId } from '#lib/kernel/index.ts'
import type {
  Clock,
  Columnar,
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
  readonly columnar: Columnar
  readonly catalog: PointCatalog
  readonly clock: Clock
  readonly random: Random
  /** The points of the order's table and of its companions, at one instant. Throws what a capture throws. */
  copy(order: CaptureOrder, stop: StopOptions): Promise<readonly RecoveryPoint[]>
  /** Make the orders for tables that are only of use together into orders for sets. */
  arrange(plan: RoundPlan, policy: RoundPolicy): Promise<RoundPlan>
}

/** As a policy names them: without a schema, in each schema that has such a table. */
export interface NamedGroup {
  readonly name: string
  readonly tables: readonly { readonly schema?: string; readonly name: string }[]
}

export interface RoundPolicy {
  /** Only these, as `schema.table` or `table` in any schema; empty: every table. */
  readonly allowedTables: readonly string[]
  /** A point younger than this is good enough. */
  readonly minimumAgeMs: number
  /** Tables that are only of use together: when one needs a capture, all are captured at one instant. */
  readonly groups?: readonly NamedGroup[]
  /** True: tables that foreign keys join are such a group too. */
  readonly isForeignKeyGrouping?: boolean
  /** Bytes of tables that the orders of a plan compare at most; 0: nothing is compared, and all is copied. Absent: no bound. */
  readonly compareBudgetBytes?: number
  /** A table whose point is older than this is compared whatever the budget; one that was found equal before may wait until then. */
  readonly latestAgeMs?: number
  /** A table whose newest point is older than this makes the heartbeat unhealthy. Absent: none does. */
  readonly overdueAfterMs?: number
}

/** `maybe-changed`: compare first, and copy only where the table differs from its newest point. */
export type CaptureReason = 'no-point' | 'changed' | 'maybe-changed' | 'new-table' | 'damaged'

/** One table to capture: the body of a work item, plain JSON. */
export interface CaptureOrder {
  readonly relation: RelationName
  /** As the plan saw it. */
  readonly relationOid: number
  /** Captured with it at one instant, as a set. */
  readonly companions?: readonly { readonly schema: string; readonly name: string }[]
  readonly origin: RecoveryPointOrigin
  readonly because: CaptureReason
  /** Size of the table when it was ordered: who takes it depends on it. */
  readonly sizeBytes?: number
  /** A point of the same table younger than this makes the order done. */
  readonly minimumAgeMs: number
  /** The same for every plan that sees the same need within a period; safe as a queue's deduplication id. */
  readonly dedupeKey: string
}

export interface RoundFailure {
  readonly relation: RelationName
  readonly code: string
  readonly reason: string
  /** How many captures of the table have failed in a row; absent where nobody has counted. */
  readonly times?: number
}

export interface KeptTable {
  readonly relation: RelationName
  /** `fresh`, `not-allowed`, `being-captured`, `over-budget` or `stopped`. */
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
  /** Points of captures that had ended before they could note them, known from now on. */
  readonly regained: readonly RecoveryPoint[]
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
  /** Tables whose last capture lost its process, and that are captured again in this round. */
  readonly lost: readonly RelationName[]
}

/** Undefined for an order whose copies are not made elsewhere. Throws what a capture throws. */
export type CopyElsewhere = (order: CaptureOrder, stop: StopOptions) => Promise<readonly RecoveryPoint[]> | undefined

/** What came of one order. Only `failed` is worth an alert. */
export type CaptureOutcome =
  | {
      readonly status: 'captured'
      readonly point: RecoveryPoint
      /** Points of the companions. */
      readonly others?: readonly RecoveryPoint[]
    }
  /** The table is as its newest point has it; that point is fresh again. */
  | { readonly status: 'confirmed'; readonly point: RecoveryPoint }
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
