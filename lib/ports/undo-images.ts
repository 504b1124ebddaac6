import type { AuditId, RelationName } from '#lib/kernel/index.ts'
import type { DatabaseSession } from './database.ts'

/** Where a write's transaction stood right before its statement. */
export interface UndoMark {
  /** xid8 as text. */
  readonly transactionId: string
  /** The next multixact id of the server. */
  readonly multixactId: number
  /** As `transaction_isolation` shows it. */
  readonly isolation: string
}

/** How often a transaction touched rows of one table, as its own counters say: never less often than it did. */
export interface TouchedTable {
  readonly relation: RelationName
  readonly insertedRows: number
  readonly updatedRows: number
  readonly deletedRows: number
}

/** Where a row is, until somebody changes it. */
export interface RowPlace {
  readonly tableOid: string
  readonly ctid: string
}

export interface UndoKeeping {
  readonly auditId: AuditId
  readonly mark: UndoMark
  /** More touched rows than the limit are not kept. */
  readonly tables: readonly TouchedTable[]
  /** Where the rows were that it was expected to reach. Only a hint: some may be missing, others too many. */
  readonly places?: readonly RowPlace[]
  /** False: it runs at once by policy, and may wait less for its pre-image. */
  readonly isApproved: boolean
}

/** Whether a write can be reversed, and if not, why. */
export type UndoKept =
  | { readonly available: true; readonly rowCount: number; readonly objectKey: string; readonly sha256: string }
  | { readonly available: false; readonly reason: string }

/** What `undo` does with rows that somebody changed since: nothing at all, or everything but those rows. */
export type UndoConflictPolicy = 'fail' | 'skip'

export interface UndoRequest {
  /** Of the write that is reversed. */
  readonly auditId: AuditId
  /** Of the reversal, which is undoable under it; absent: only look, change nothing. */
  readonly undoAuditId?: AuditId
  readonly conflictPolicy: UndoConflictPolicy
  /** What the ledger says of the pre-image; absent where the write's outcome never came to be recorded. */
  readonly expectedSha256?: string
}

export type UndoAction = 'reinsert' | 'restore' | 'remove'

/** Why a row cannot be reversed: others changed it, took it away, or put another one in its place. */
export interface UndoConflict {
  readonly kind: 'changed' | 'missing' | 'exists'
  /** Columns that are not as the write left them. */
  readonly columns: readonly string[]
}

export interface UndoRow {
  readonly relation: RelationName
  readonly action: UndoAction
  /** The row's key, or all its columns where the table has none; values as the server writes them. */
  readonly key: Readonly<Record<string, string | null>>
  /** What changes, by column. A row that comes back or goes has all its columns. */
  readonly columns: Readonly<Record<string, { readonly from: string | null; readonly to: string | null }>>
  readonly conflict?: UndoConflict
}

export interface UndoReport {
  /** `planned`: nothing was changed; `conflict`: because of conflicts nothing was changed. */
  readonly status: 'planned' | 'undone' | 'conflict'
  readonly auditId: AuditId
  readonly conflictPolicy: UndoConflictPolicy
  readonly rows: readonly UndoRow[]
  readonly conflictCount: number
  /** Rows that were, or would be, set back. */
  readonly reversedCount: number
  /** User triggers that did not fire, `table.trigger`. */
  readonly quietTriggers: readonly string[]
  /** Whether the reversal can be reversed; absent unless it was done. */
  readonly undo?: UndoKept
}

/**
 * Pre-images of writes: kept in the write's own transaction, and reversed later.
 *
 * Durable: a pre-image that `keep` called available is in the object store before the write is committed.
 * Harmless: one whose write was never committed reverses nothing and is swept.
 */
export interface UndoImages {
  mark(session: DatabaseSession): Promise<UndoMark>
  /**
   * What cannot be kept is no error: the transaction goes on as if this had not been called, and the answer says why.
   * Throws when the session itself is lost.
   */
  keep(session: DatabaseSession, keeping: UndoKeeping): Promise<UndoKept>
  /** Throws UNDO_MISSING, UNDO_CORRUPT, UNDO_DONE, UNDO_NOT_APPLIED, UNDO_IMPOSSIBLE, DATABASE_UNREACHABLE. */
  reverse(request: UndoRequest): Promise<UndoReport>
}
