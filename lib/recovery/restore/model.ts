/** What a restore is asked for, what it plans and what came of it. */
import type { RelationName, SnapshotId } from '#lib/kernel/index.ts'
import type { StatementError } from '#lib/ports/index.ts'

/** What happens when the target exists: leave its rows and add what is missing, replace rows of the same key, or refuse. */
export type ConflictPolicy = 'skip' | 'overwrite' | 'fail'

export interface RestoreProgress {
  readonly phase: 'verify' | 'load' | 'compare' | 'rebuild'
  /** Bytes of parts while verifying, rows while loading, statements while rebuilding. */
  readonly done: number
  readonly total: number
}

export interface RestoreRequest {
  readonly snapshotId: SnapshotId
  /** `<table>_recovered` in the same schema when absent. */
  readonly target?: RelationName
  readonly conflictPolicy?: ConflictPolicy // default fail
  /** Verify and plan; change nothing. */
  readonly isDryRun?: boolean
  readonly onProgress?: (progress: RestoreProgress) => void
  /** When it is aborted, the restore ends with its reason and leaves nothing behind. */
  readonly signal?: AbortSignal
  /** A statement of the rebuilding that the server refused; the report has it under `notRebuilt` as well. */
  readonly onRefused?: (subject: string, error: StatementError) => void
}

/** One statement that makes a piece of the table. */
export interface RestoreStatement {
  /** `index orders_by_day`. */
  readonly subject: string
  readonly sql: string
  /** Of several tables together, foreign keys follow everything else, and whoever gets access comes last. */
  readonly stage?: 'foreign key' | 'access'
}

/** Where tables that are restored together come to lie, by the quoted name of the original. */
export type StandIns = ReadonlyMap<string, RelationName>

export interface NotRebuilt {
  readonly subject: string
  readonly reason: string
}

/** A name that the recovered table has to give up for the original one when it takes the original's place. */
export interface Rename {
  readonly kind: 'index' | 'sequence' | 'table'
  readonly recovered: string
  readonly original: string
  /** Of a partition, which may lie in another schema than its table. */
  readonly schema?: string
}

export interface RestorePlan {
  readonly target: RelationName
  readonly createTable: string
  /** In order; each may fail alone and is then reported. */
  readonly statements: readonly RestoreStatement[]
  /** What cannot be made on a table of another name or standing. */
  readonly notRebuilt: readonly NotRebuilt[]
  readonly renames: readonly Rename[]
}

export interface RestoreReport {
  readonly snapshotId: SnapshotId
  readonly source: RelationName
  readonly target: RelationName
  readonly isDryRun: boolean
  readonly rowCount: number
  readonly partCount: number
  readonly sizeBytes: number
  /** Rows that the target gained: all of them in a new table. */
  readonly insertedRows: number
  readonly updatedRows: number
  readonly rebuilt: readonly string[]
  readonly notRebuilt: readonly NotRebuilt[]
  readonly checked: readonly string[]
}

export type CopybackKind = 'replace-missing-table' | 'bring-back-rows' | 'nothing-to-do'

export interface CopybackPlan {
  readonly kind: CopybackKind
  /** From BEGIN to COMMIT; each can be executed as it stands. Empty when there is nothing to do. */
  readonly statements: readonly string[]
  /**
   * Rows that the snapshot does not know, moved into a table of their own: to be run first, and only by who knows that they
   * are wrong. Absent where there is none, or where rows of other tables would go with them.
   */
  readonly aside?: readonly string[]
  /** What the reader should know before running it. */
  readonly notes: readonly string[]
}

/** One row in which a restored table is not its snapshot; values are not shown, but for the key. */
export interface RowDifference {
  readonly key: Readonly<Record<string, string>>
  /** `missing`: the table lacks it; `unknown`: the snapshot does. */
  readonly kind: 'missing' | 'unknown' | 'differs'
  readonly columns: readonly string[]
}

export interface RowDifferences {
  readonly missingRows: number
  readonly differingRows: number
  readonly extraRows: number
  /** A few of them, where the table has a key. */
  readonly shown: readonly RowDifference[]
}

/** How a restored table compares with its snapshot. */
export interface RestoreValidation {
  readonly snapshotId: SnapshotId
  readonly source: RelationName
  readonly target: RelationName
  readonly isThere: boolean
  readonly expectedRows: number
  readonly actualRows: number
  /** The digest of the whole content, which the database computed. */
  readonly isContentEqual: boolean
  readonly comparedRows: number
  readonly missingColumns: readonly string[]
  readonly alteredColumns: readonly string[]
  readonly expectedIndexes: readonly string[]
  readonly actualIndexes: readonly string[]
  readonly missingIndexes: readonly string[]
  readonly expectedConstraints: readonly string[]
  readonly actualConstraints: readonly string[]
  readonly missingConstraints: readonly string[]
  /** Constraints that are there and not validated. */
  readonly invalidConstraints: readonly string[]
  /** Only where the content differs. */
  readonly differences?: RowDifferences
}
