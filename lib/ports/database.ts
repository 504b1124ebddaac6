import type { JsonValue } from '#lib/kernel/index.ts'

/** What the database said when it refused: SQLSTATE and message, mapped once in the adapter. */
export interface DatabaseFailure {
  readonly sqlState: string
  readonly message: string
  readonly detail?: string
  readonly hint?: string
  readonly position?: number
}

/** A statement that the server rejected. Connection problems are BackstopError DATABASE_UNREACHABLE instead. */
export class StatementError extends Error {
  readonly failure: DatabaseFailure

  constructor(failure: DatabaseFailure) {
    super(failure.message)
    this.name = 'StatementError'
    this.failure = failure
  }
}

export type SqlParameter = string | number | boolean | null | Uint8Array | readonly (string | number | null)[]

export interface CappedOptions {
  readonly parameters?: readonly SqlParameter[]
  /** Rows beyond this are not fetched. */
  readonly maxRows: number
  /** Text bytes of rows beyond this are dropped while reading. */
  readonly maxBytes: number
}

export interface ColumnInfo {
  readonly name: string
  readonly typeOid: number
  /** 0 when the column is an expression. */
  readonly tableOid: number
}

export interface CappedResult {
  /** Command tag without counts: `SELECT`, `UPDATE`, `CREATE TABLE`. */
  readonly command: string
  readonly columns: readonly ColumnInfo[]
  /** JSON-ready values in column order; 64-bit integers, numerics and everything without a JSON form are the server's text. */
  readonly rows: readonly (readonly JsonValue[])[]
  /** From the command tag; undefined where the tag has none or the result was cut off. */
  readonly rowCount?: number
  readonly truncated?: 'rows' | 'bytes'
}

/**
 * One connection, held by one caller. Statements run in the order they are called; calls need not be awaited
 * one by one, they then share a round trip.
 */
export interface DatabaseSession {
  readonly processId: number
  /**
   * One statement over the extended protocol; rows as objects. For our own statements.
   * `preparedAs` keeps its plan on the connection under that name; the same name always means the same text.
   */
  query<Row extends object>(sql: string, parameters?: readonly SqlParameter[], preparedAs?: string): Promise<Row[]>
  /** Our own fixed statements, several at once, over the simple protocol. Never with foreign text. */
  execute(sql: string): Promise<void>
  /** A foreign statement: extended protocol, exactly one, capped in rows and bytes. */
  runCapped(sql: string, options: CappedOptions): Promise<CappedResult>
  /**
   * The caller's word that no transaction is open and that nothing foreign ran but reads of built-in functions: the session
   * is lent again without being cleaned.
   */
  leaveClean(): void
  copyOut(sql: string): AsyncIterable<Uint8Array>
  /** Returns the number of rows that the server took in. A chunk's bytes may be overwritten when the next one is asked for. */
  copyIn(sql: string, chunks: AsyncIterable<Uint8Array>): Promise<number>
}

/** A PostgreSQL database and its connections. */
export interface Database {
  /** `host:port/name`, without user and password. */
  readonly label: string
  /**
   * Lend a clean session. Afterwards an open transaction is rolled back and all session state discarded;
   * where that fails the connection is closed.
   * Throws DATABASE_UNREACHABLE; whatever `use` throws.
   */
  withSession<T>(use: (session: DatabaseSession) => Promise<T>): Promise<T>
  /** A session on a connection of its own, closed afterwards: for long work and for statements outside transactions. */
  withDedicatedSession<T>(use: (session: DatabaseSession) => Promise<T>): Promise<T>
  /** Ask the server to cancel what the backend runs. Best effort. */
  cancel(processId: number): Promise<void>
  /**
   * Backends of the server that are connected for this process now, or were within the last minute, whichever database they
   * are in. Absent: they cannot be told from others'.
   */
  listProcessIds?(): readonly number[]
  close(): Promise<void>
}
