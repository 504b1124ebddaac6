/** What the recovery slice is handed, and what it offers. */
import type { RelationName, SnapshotId } from '#lib/kernel/index.ts'
import type {
  Clock,
  Columnar,
  Database,
  ObjectStore,
  Random,
  RecordStore,
  RecoveryPoint,
  RecoveryPointOrigin,
  RecoveryPoints,
} from '#lib/ports/index.ts'
import type { PointFilter, PointPage, ScanReport } from './catalog/index.ts'
import type { DrillFilter, DrillPage, DrillRequest, StoredDrill } from './drill/index.ts'
import type { SealedManifest } from './manifest/index.ts'
import type { ConflictPolicy, CopybackPlan, RestoreReport, RestoreRequest, RestoreValidation } from './restore/index.ts'
import type { Retention } from './retention/index.ts'
import type { CaptureOrder, CaptureOutcome, CopyElsewhere, RoundPlan, RoundPolicy, RoundReport } from './round/index.ts'
import type { Sets } from './set/index.ts'
import type { RangeHelpers } from './snapshot/index.ts'
import type { StopOptions } from './stoppable.ts'
import type { CheckedPoint, CheckPointRequest, VerifyPointsReport, VerifyPointsRequest } from './verify/index.ts'
import type { SeenTable, StaleTable, TableLook, WatchReport, WatchSettings } from './watch/index.ts'

export interface RecoveryOptions {
  readonly database: Database
  readonly objects: ObjectStore
  readonly records: RecordStore
  readonly columnar: Columnar
  readonly clock: Clock
  readonly random: Random
  /** Who captures ranges of large tables beside the session that holds their snapshot; absent: nobody. */
  readonly helpers?: RangeHelpers
  /** Who makes the copies of large orders in place of this thread; absent: nobody. */
  readonly copyElsewhere?: CopyElsewhere
  /** A table with a larger row is not captured: up to five times its size is in memory meanwhile. */
  readonly maxRowBytes?: number // default 128 MiB
}

/** Recovery points for the gate, and everything that operators do with them. */
export interface Recovery extends RecoveryPoints, Retention {
  /** With `stop`: ends in time. Throws RUN_STOPPED, TABLE_TOO_LARGE_FOR_RUN. */
  capture(relation: RelationName, origin: RecoveryPointOrigin, stop?: StopOptions): Promise<RecoveryPoint>
  /** With `stop` as for `capture`. */
  captureSet(
    relations: readonly RelationName[],
    origin: RecoveryPointOrigin,
    stop?: StopOptions,
  ): Promise<readonly RecoveryPoint[]>
  /** Several tables at one instant: take, list, restore, and the way back. */
  readonly sets: Sets
  list(filter?: PointFilter): Promise<PointPage>
  find(snapshotId: SnapshotId): Promise<RecoveryPoint | undefined>
  /** Straight from the object store; needs no metadata. */
  scan(relation?: RelationName): Promise<ScanReport>
  /** Put what a scan finds into the catalog; returns the report. */
  rebuildCatalog(): Promise<ScanReport>
  quarantine(snapshotId: SnapshotId, reason: string): Promise<RecoveryPoint>
  /** `planRound`, and each of its orders carried out in turn. With `stop`: what is in hand is taken back, the rest waits for the next. */
  runRound(policy: RoundPolicy, stop?: StopOptions): Promise<RoundReport>
  /** Everything of a round but the copies; the orders are work items for `captureOne`, here or in other processes. */
  planRound(policy: RoundPolicy): Promise<RoundPlan>
  /** Idempotent. Throws METADATA_UNREACHABLE, DATABASE_UNREACHABLE. */
  captureOne(order: CaptureOrder, stop?: StopOptions): Promise<CaptureOutcome>
  /** The copies of an order, made here, for whoever holds its lease. With `stop` as for `capture`. */
  copy(order: CaptureOrder, stop?: StopOptions): Promise<readonly RecoveryPoint[]>
  /** Read stored points again, those first that were checked longest ago; corrupt ones are quarantined, each alone. */
  verifyPoints(request: VerifyPointsRequest): Promise<VerifyPointsReport>
  /**
   * Read one point again: a valid one that is corrupt is quarantined; one that was quarantined and is whole becomes valid, when that
   * is asked for. Throws SNAPSHOT_MISSING, SNAPSHOT_RETIRED, RUN_STOPPED, METADATA_UNREACHABLE.
   */
  checkPoint(request: CheckPointRequest): Promise<CheckedPoint>
  /**
   * Restore one captured table into scratch, compare, drop, and keep the evidence; what goes wrong is in the evidence.
   * Throws METADATA_UNREACHABLE.
   */
  runTableDrill(request?: DrillRequest): Promise<StoredDrill>
  listDrills(filter?: DrillFilter): Promise<DrillPage>
  /** Look for sessions of agent roles that do not come through a gateway. Throws DATABASE_UNREACHABLE, METADATA_UNREACHABLE. */
  runWatch(settings: WatchSettings): Promise<WatchReport>
  /** Which tables are gone since the last look. Throws DATABASE_UNREACHABLE, METADATA_UNREACHABLE: then nothing is known. */
  lookAtTables(): Promise<TableLook>
  /** Call when what the look found was told: from now on it is no news. Throws METADATA_UNREACHABLE. */
  settleTables(look: TableLook): Promise<void>
  /** Of the tables, those whose newest valid point is older than this. Throws METADATA_UNREACHABLE. */
  findStaleTables(tables: readonly SeenTable[], staleAfterMs: number): Promise<readonly StaleTable[]>
  /** The proven manifest of a snapshot. Throws SNAPSHOT_MISSING, SNAPSHOT_CORRUPT, MANIFEST_INVALID. */
  readManifest(snapshotId: SnapshotId): Promise<SealedManifest>
  hasTable(relation: RelationName): Promise<boolean>
  /** A snapshot that turns out to be corrupt is quarantined, and the error thrown. */
  restore(request: RestoreRequest): Promise<RestoreReport>
  /**
   * Compare a restored table with its snapshot, whole; `<table>_recovered` when no target is given. Changes nothing.
   * `isBrief`: does not look for the rows that differ.
   */
  validateRestore(snapshotId: SnapshotId, target?: RelationName, isBrief?: boolean): Promise<RestoreValidation>
  /** SQL that brings rows of a recovered table back, for the state that the database is in now. */
  planCopyback(snapshotId: SnapshotId, recovered?: RelationName, conflictPolicy?: ConflictPolicy): Promise<CopybackPlan>
}
