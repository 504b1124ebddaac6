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
import type { ConflictPolicy, CopybackPlan, RestoreReport, RestoreRequest } from './restore/index.ts'
import type { CaptureOrder, CaptureOutcome, RoundPlan, RoundPolicy, RoundReport } from './round/index.ts'
import type { StopOptions } from './stoppable.ts'
import type { VerifyPointsReport, VerifyPointsRequest } from './verify/index.ts'
import type { WatchReport, WatchSettings } from './watch/index.ts'

export interface RecoveryOptions {
  readonly database: Database
  readonly objects: ObjectStore
  readonly records: RecordStore
  readonly columnar: Columnar
  readonly clock: Clock
  readonly random: Random
}

/** Recovery points for the gate, and everything that operators do with them. */
export interface Recovery extends RecoveryPoints {
  /** With `stop`: ends in time. Throws RUN_STOPPED, TABLE_TOO_LARGE_FOR_RUN. */
  capture(relation: RelationName, origin: RecoveryPointOrigin, stop?: StopOptions): Promise<RecoveryPoint>
  list(filter?: PointFilter): Promise<PointPage>
  find(snapshotId: SnapshotId): Promise<RecoveryPoint | undefined>
  /** Straight from the object store; needs no metadata. */
  scan(relation?: RelationName): Promise<ScanReport>
  /** Put what a scan finds into the catalog; returns the report. */
  rebuildCatalog(): Promise<ScanReport>
  quarantine(snapshotId: SnapshotId, reason: string): Promise<RecoveryPoint>
  /** `planRound`, and each of its orders carried out in turn. */
  runRound(policy: RoundPolicy): Promise<RoundReport>
  /** Everything of a round but the copies; the orders are work items for `captureOne`, here or in other processes. */
  planRound(policy: RoundPolicy): Promise<RoundPlan>
  /** Idempotent. Throws METADATA_UNREACHABLE, DATABASE_UNREACHABLE. */
  captureOne(order: CaptureOrder, stop?: StopOptions): Promise<CaptureOutcome>
  /** Read stored points again, those first that were checked longest ago; corrupt ones are quarantined, each alone. */
  verifyPoints(request: VerifyPointsRequest): Promise<VerifyPointsReport>
  /**
   * Restore one captured table into scratch, compare, drop, and keep the evidence; what goes wrong is in the evidence.
   * Throws METADATA_UNREACHABLE.
   */
  runTableDrill(request?: DrillRequest): Promise<StoredDrill>
  listDrills(filter?: DrillFilter): Promise<DrillPage>
  /** Look for sessions of agent roles that do not come through a gateway. Throws DATABASE_UNREACHABLE, METADATA_UNREACHABLE. */
  runWatch(settings: WatchSettings): Promise<WatchReport>
  /** The proven manifest of a snapshot. Throws SNAPSHOT_MISSING, SNAPSHOT_CORRUPT, MANIFEST_INVALID. */
  readManifest(snapshotId: SnapshotId): Promise<SealedManifest>
  /** A snapshot that turns out to be corrupt is quarantined, and the error thrown. */
  restore(request: RestoreRequest): Promise<RestoreReport>
  /** SQL that brings rows of a recovered table back, for the state that the database is in now. */
  planCopyback(snapshotId: SnapshotId, recovered?: RelationName, conflictPolicy?: ConflictPolicy): Promise<CopybackPlan>
}
