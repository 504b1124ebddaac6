import type { Instant, RelationName, SnapshotId } from '#lib/kernel/index.ts'
import type { DatabaseSession } from './database.ts'

/** `retired`: retention is removing it, or was stopped while it did. */
export type RecoveryPointStatus = 'valid' | 'invalid' | 'quarantined' | 'retired'

/** Why a point was taken: on the schedule, because a statement needed one, inside a destruction's transaction, by hand. */
export type RecoveryPointOrigin = 'schedule' | 'demand' | 'final' | 'manual'

/** One table's content at one instant, with proof that it can be read back. */
export interface RecoveryPoint {
  readonly snapshotId: SnapshotId
  readonly relation: RelationName
  readonly relationOid: number
  readonly status: RecoveryPointStatus
  /** Why it is not valid; absent when it is. */
  readonly validationError?: string
  /** When it was set aside; absent for one that never was. */
  readonly quarantinedAt?: Instant
  /** What a retired point was before. */
  readonly retiredFrom?: Exclude<RecoveryPointStatus, 'retired'>
  readonly origin: RecoveryPointOrigin
  readonly capturedAt: Instant
  /** The last time that the table was proven to be unchanged since; freshness counts from here where it is set. */
  readonly confirmedAt?: Instant
  readonly rowCount: number
  readonly sizeBytes: number
  /** The set that it was taken in, with others at one instant. */
  readonly setId?: string
  readonly manifestKey: string
  /** Digest of the manifest, the root of trust for everything under it. */
  readonly manifestSha256: string
}

/** How fresh the background capture is. */
export interface RecoveryHeartbeat {
  readonly at: Instant
  readonly isHealthy: boolean
  readonly detail: string
}

/** What the gate needs from recovery. */
export interface RecoveryPoints {
  findNewestValid(relation: RelationName): Promise<RecoveryPoint | undefined>
  /** Capture now, on a connection of its own. Throws when no valid point came of it. */
  capture(relation: RelationName, origin: RecoveryPointOrigin): Promise<RecoveryPoint>
  /**
   * Capture the relations as the session's open transaction sees them; the caller holds the locks. More than one are a set.
   * Returns one valid point per relation, durable and read back, or throws.
   */
  captureWithin(
    session: DatabaseSession,
    relations: readonly RelationName[],
    origin: RecoveryPointOrigin,
  ): Promise<readonly RecoveryPoint[]>
  /** The points of the newest valid set of exactly these relations: all of one instant. */
  findNewestValidSet(relations: readonly RelationName[]): Promise<readonly RecoveryPoint[] | undefined>
  /** Capture the relations now, at one snapshot, on connections of its own. Returns the points of the set, or throws. */
  captureSet(relations: readonly RelationName[], origin: RecoveryPointOrigin): Promise<readonly RecoveryPoint[]>
  findHeartbeat(): Promise<RecoveryHeartbeat | undefined>
}
