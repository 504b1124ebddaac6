/** What retention is asked to keep, what it decides about each point, and what came of it. */
import type { Instant, RelationName, SnapshotId } from '#lib/kernel/index.ts'
import type { Clock, ObjectStore, Random, RecordStore, RecoveryPoint } from '#lib/ports/index.ts'
import type { PointCatalog } from '../catalog/index.ts'

/** Whole numbers, per table; what each means exactly is in docs/decisions/retention.md. The first six all 0: nothing is ever removed. */
export interface RetentionPolicy {
  /** The newest so many. */
  readonly keepLast: number
  /** Everything of the last so many times 24 hours. */
  readonly keepDays: number
  /** The newest of each of the last so many hours, days, weeks (from Monday) and months, all in UTC. */
  readonly keepHourly: number
  readonly keepDaily: number
  readonly keepWeekly: number
  readonly keepMonthly: number
  /** Final snapshots, and the last point of a table that was made anew under its name, stay at least so long. */
  readonly finalDays: number
  /** What was set aside stays so long for investigation; 0: until it is removed by hand. */
  readonly quarantineDays: number
}

export type KeepReason =
  /** The policy keeps everything. */
  | 'retention-off'
  /** The table's newest valid point, or where it has none the newest that is left of it. */
  | 'last-of-table'
  | 'keep-last'
  | 'keep-days'
  | 'hourly'
  | 'daily'
  | 'weekly'
  | 'monthly'
  | 'pinned'
  | 'legal-hold'
  /** A pending or approved statement counts on it. */
  | 'approval'
  /** A restore reads it now. */
  | 'in-use'
  /** Another member of its set is kept. */
  | 'set'
  /** Young, or the newest of its table until a moment ago: somebody may have chosen it. */
  | 'recent'
  | 'final'
  /** The last one of a table that was dropped and made anew under the same name. */
  | 'replaced-table'
  /** Set aside, and its time for investigation is not over. */
  | 'quarantined'
  /** Dated later than now: by a wrong clock, so that nothing says how old it is. */
  | 'age-unknown'

export type RemoveReason =
  | 'not-kept'
  /** Set aside, and its time for investigation is over. */
  | 'quarantine-over'
  /** Its removal was begun before and not finished. */
  | 'unfinished'

export interface KeptPoint {
  readonly point: RecoveryPoint
  readonly because: readonly KeepReason[]
}

export interface RemovablePoint {
  readonly point: RecoveryPoint
  readonly because: RemoveReason
}

export interface RetentionPlan {
  /** Newest first, both. */
  readonly keep: readonly KeptPoint[]
  readonly remove: readonly RemovablePoint[]
}

export interface RetentionFacts {
  readonly points: readonly RecoveryPoint[]
  readonly pinned: ReadonlySet<string>
  readonly held: ReadonlySet<string>
  readonly needed: ReadonlySet<string>
  readonly inUse: ReadonlySet<string>
  /** Set aside, and given up by hand: their time for investigation is over. */
  readonly givenUp?: ReadonlySet<string>
}

export interface RetentionPorts {
  readonly objects: ObjectStore
  readonly records: RecordStore
  readonly catalog: PointCatalog
  readonly clock: Clock
  readonly random: Random
  /** Forget a set whose members are all being removed; idempotent. */
  removeSet(setId: string): Promise<void>
}

export interface RetentionRequest {
  readonly policy: RetentionPolicy
  /** Ids of the points that somebody counts on; asked after the points were listed. */
  findNeeded(): Promise<readonly string[]>
  /** Points that were set aside and are to go now; sound ones are not meant by it. */
  readonly givenUp?: readonly string[]
  readonly isDryRun?: boolean
  /** A person has looked at the clock: remove even where it seems to have jumped. */
  readonly isClockTrusted?: boolean
  /** Ends the run between two objects; the next one goes on. */
  readonly signal?: AbortSignal
}

export interface RemovedPoint {
  readonly snapshotId: SnapshotId
  readonly relation: RelationName
  readonly capturedAt: Instant
  readonly because: RemoveReason
  readonly objectCount: number
  readonly sizeBytes: number
}

export interface RetentionFailure {
  /** A snapshot id, or the folder of a leftover. */
  readonly subject: string
  readonly code: string
  readonly reason: string
}

/** Objects of a capture that never finished. */
export interface SweptFolder {
  readonly prefix: string
  readonly objectCount: number
  readonly sizeBytes: number
}

export interface RetentionReport {
  /** True: `removed` and `swept` are what would be removed; their figures are those of the catalog and the listing. */
  readonly isDryRun: boolean
  readonly removed: readonly RemovedPoint[]
  readonly kept: readonly KeptPoint[]
  readonly swept: readonly SweptFolder[]
  /** Stays until a later run succeeds; a point whose manifest the storage would not give up is offered as before. */
  readonly failed: readonly RetentionFailure[]
  /** What was not judged or not done, and why. */
  readonly skipped: readonly { readonly subject: string; readonly reason: string }[]
}
