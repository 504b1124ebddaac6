/** How a statement is run and what came of it. */
import type { RelationName } from '#lib/kernel/index.ts'
import type { CappedResult, DatabaseSession, SqlParameter } from '#lib/ports/index.ts'

/** Limits that the database enforces on everything that runs for an agent. */
export interface ExecutionLimits {
  readonly statementTimeoutMs: number // default 30,000
  readonly lockTimeoutMs: number // default 5,000
  readonly assessTimeoutMs: number // default 2,000
  readonly captureTimeoutMs: number // default 900,000
  readonly maxRows: number // default 1,000
  readonly maxBytes: number // default 1 MiB
}

export interface ExecutionSettings {
  readonly limits: ExecutionLimits
  /** The role that statements run as; absent: the connection's own. */
  readonly agentRole?: string
  /** As in `search_path`, quoted; pg_temp is put last so that no temporary table shadows an approved name. */
  readonly searchPath: string
}

export interface Statement {
  readonly sql: string
  readonly parameters: readonly SqlParameter[]
}

/** Rows that one table gained, lost or had changed in the transaction. */
export interface ChangedTable {
  readonly relation: RelationName
  readonly insertedRows: number
  readonly updatedRows: number
  readonly deletedRows: number
}

/** What a transaction changed: rows of tables, and the system catalogs that TRUNCATE, DDL and grants write to. */
export interface Changes {
  readonly tables: readonly ChangedTable[]
  readonly catalogs: readonly string[]
}

export interface Ran {
  readonly outcome: 'done'
  readonly result: CappedResult
  readonly changed: readonly ChangedTable[]
}

/** The guard found more changed rows than were allowed; everything was rolled back. */
export interface GuardStopped {
  readonly outcome: 'guard-stopped'
  readonly changed: readonly ChangedTable[]
  readonly changedRows: number
  readonly allowedRows: number
  /** System catalogs that were changed: by TRUNCATE, DDL or grants in a trigger or a function. */
  readonly catalogs: readonly string[]
  /** Set when the share of the table and not the number was too large. */
  readonly percent?: number
}

/** Whoever had to keep something before COMMIT could not; everything was rolled back. */
export interface Unkept {
  readonly outcome: 'unkept'
  readonly reason: string
}

export type WriteOutcome = Ran | GuardStopped | Unkept

/** What is done around the statement, within its transaction. */
export interface Keeper {
  /** Right before the statement. */
  begin(session: DatabaseSession): Promise<void>
  /** When the guard has agreed, right before COMMIT. A reason: then it is rolled back. Throws to abort. */
  end(session: DatabaseSession, changes: Changes): Promise<string | undefined>
}

/** A share that is known only afterwards: of a CTE's table, or of what an upsert overwrites. */
export interface UnmeasuredShare {
  readonly relation: RelationName
  readonly maxPercent: number
  /** So many rows may change whatever their share is. */
  readonly freeRows: number
}

/** The tables that hold a relation's rows: itself, its partitions, what a view shows. Keyed as `quoteRelation` writes it. */
export type RowHolders = ReadonlyMap<string, ReadonlySet<string>>

/** What the actual changes are compared with before COMMIT. */
export interface RowGuard {
  /** Absent: not bounded by number. */
  readonly maxRows?: number
  /** False for a statement that only changes rows: then TRUNCATE and DDL inside of it are not what was asked for. */
  readonly mayChangeCatalog: boolean
  /** Tables whose rows do not count: the final snapshot holds them. */
  readonly securedTables: readonly RelationName[]
  /** The share of a table that may change; with the size it had before. */
  readonly share?: { readonly relation: RelationName; readonly tableRowCount: number; readonly maxPercent: number }
  /** Tables that the statement changes by other ways than a measured predicate: their size is counted when rows changed. */
  readonly unmeasured: readonly UnmeasuredShare[]
}

/** Runs inside the write's transaction, before the statement: locks, re-assessment, claim, final snapshot. Throws to abort. */
export type Prelude = (session: DatabaseSession) => Promise<RowGuard>
