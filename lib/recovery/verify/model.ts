/** What a check of stored points is asked for and what came of it. */
import type { RelationName, SetId, SnapshotId } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { PointVerdict } from './read-point.ts'

export interface CheckPointRequest {
  readonly snapshotId: SnapshotId
  /** A point that was set aside is to be offered again, if it is whole. */
  readonly isReinstating?: boolean
  readonly signal?: AbortSignal
  /** Told of all bytes that were read so far; what seems corrupt is read twice. */
  onBytes?(bytes: number): void
}

export interface CheckedPoint {
  /** As it is after the check. */
  readonly point: RecoveryPoint
  readonly verdict: PointVerdict
  readonly change: 'none' | 'set-aside' | 'reinstated'
  readonly bytes: number
}

export interface VerifyPointsRequest {
  /** Bytes of parts that a run reads at most; a point larger than this is never read, and said to be skipped. */
  readonly budgetBytes: number
  /** Points that a run looks at, at most. */
  readonly maxPoints: number
  /** Ends the run between two chunks; what it was reading then comes first in the next run. */
  readonly signal?: AbortSignal
}

export interface CorruptPoint {
  readonly snapshotId: SnapshotId
  readonly relation: RelationName
  readonly reason: string
}

export interface VerifyPointsReport {
  /** Points that were read to the end and judged, corrupt ones included. */
  readonly checked: number
  /** Set aside, each alone. */
  readonly corrupt: readonly CorruptPoint[]
  /** What could not be judged, and why. Never empty when nothing was checked. */
  readonly skipped: readonly { readonly subject: string; readonly reason: string }[]
  /** Of the skipped, points that the storage would not let us read. */
  readonly unread: number
  readonly bytes: number
  /** Lists of sets that were read and judged, and those that were set aside. */
  readonly sets: {
    readonly checked: number
    readonly corrupt: readonly { readonly setId: SetId; readonly reason: string }[]
  }
  /** Objects in the folders of checked points that no manifest names: harmless, and read by nobody. */
  readonly strays: readonly string[]
}
