/** Recovery points as the catalog lists them. */
import type { RelationName } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'

export interface PointFilter {
  /** Absent: every table. */
  readonly relation?: RelationName
  /** 1 to 1,000; 100 when absent. */
  readonly limit?: number
  readonly cursor?: string
}

export interface PointPage {
  /** Newest first. */
  readonly points: readonly RecoveryPoint[]
  readonly cursor?: string
}

/** A manifest that could not be trusted, or objects that belong to no manifest. */
export interface ScanProblem {
  readonly key: string
  /** `SNAPSHOT_CORRUPT`, `MANIFEST_INVALID`, … or `NO_MANIFEST` for parts of a capture that never finished. */
  readonly code: string
  readonly reason: string
}

export interface ScanReport {
  /** Newest first. */
  readonly points: readonly RecoveryPoint[]
  readonly problems: readonly ScanProblem[]
  readonly objectCount: number
}
