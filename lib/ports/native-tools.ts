/** A stop that was asked for; the program is ended and the error of an abort is thrown. */
export interface ToolRun {
  readonly signal?: AbortSignal
}

export interface DumpOptions extends ToolRun {
  /** Patterns as pg_dump reads them: `audit.*`, `"Mixed Case"`. */
  readonly excludeTables: readonly string[]
  /** What another session exported with pg_export_snapshot() and still holds. */
  readonly snapshotName?: string | undefined
}

export interface DumpListing {
  /** Entries of the table of contents. */
  readonly entryCount: number
  /** Tables whose rows are in it. */
  readonly tableCount: number
  /** As pg_dump wrote it: `15.18 (Debian 15.18-0+deb12u1)`. */
  readonly serverVersion: string
  readonly databaseName: string
}

/** A stream can be read once; a file can be sought in, which more than one job needs. */
export type RestoreSource =
  | { readonly kind: 'stream'; readonly content: AsyncIterable<Uint8Array> }
  | { readonly kind: 'file'; readonly path: string; readonly jobs: number }

export interface RestoreDumpOptions extends ToolRun {
  /** Drop what the dump holds before it is made anew. */
  readonly isClean: boolean
  /** Leave owners and grants out: their roles may not be there. */
  readonly isOwnerless: boolean
}

export interface BaseBackupOptions extends ToolRun {
  readonly label: string
}

export interface FolderBackupOptions extends BaseBackupOptions {
  /** Once, before more than a little is written: what the server says its files hold, without WAL. A rejection ends the program. */
  onEstimate(totalBytes: number): Promise<void>
  /** What has been received of that, now and then. */
  onReceived(doneBytes: number, totalBytes: number): void
}

/**
 * PostgreSQL's own programs.
 *
 * Databases are named by connection URLs; a password never is an argument, and never in a message.
 * Streams: what a program writes passes as it comes; the stream ends only when the program ended well, and one that is
 *          left early ends the program.
 * Errors:  NATIVE_TOOL_MISSING, NATIVE_TOOL_FAILED, CONFIG_INVALID for a URL that the programs cannot be given
 */
export interface NativeTools {
  /** Where it is. Throws NATIVE_TOOL_MISSING. */
  find(tool: 'pg_dump' | 'pg_restore' | 'pg_basebackup'): Promise<string>
  /** First line of `--version`. */
  versionOf(tool: 'pg_dump' | 'pg_restore' | 'pg_basebackup'): Promise<string>
  /** A database in pg_dump's custom format. */
  dump(databaseUrl: string, options: DumpOptions): AsyncIterable<Uint8Array>
  /** Read a dump's table of contents; all of the content is consumed. */
  listDump(content: AsyncIterable<Uint8Array>, run?: ToolRun): Promise<DumpListing>
  /** From a stream all or nothing, in one transaction. */
  restoreDump(databaseUrl: string, source: RestoreSource, options: RestoreDumpOptions): Promise<void>
  /**
   * A whole server as one tar with its backup manifest (SHA-256 of each file) and the WAL that makes it consistent.
   * Throws BACKUP_TABLESPACES when it has tablespaces of its own.
   */
  baseBackup(serverUrl: string, options: BaseBackupOptions): AsyncIterable<Uint8Array>
  /**
   * The same into an empty folder: `base.tar`, `<oid>.tar` of each tablespace, `backup_manifest`. What is there after a failure
   * is for the caller to remove.
   */
  baseBackupInto(serverUrl: string, folder: string, options: FolderBackupOptions): Promise<void>
}
