import type { Database } from './database.ts'

export interface PreparedServerOrder {
  /** A data folder that was prepared for a recovery; its files belong to the user that the server runs as. */
  readonly dataFolder: string
  /** For its socket and its own settings; removed when the server has ended, in whatever way it ends. */
  readonly scratchFolder: string
  /** Major version: what PG_VERSION says. */
  readonly serverVersion: string
  /** A superuser of the server. */
  readonly user: string
}

/** A server of PostgreSQL that only this machine's owner of the scratch folder can reach. */
export interface PreparedServer {
  readonly isRunning: boolean
  /** What it complained of last, without values. */
  lastWords(): string
  /** Whoever opens it closes it. */
  open(database: string): Database
  /** Idempotent. */
  stop(): Promise<void>
}

/**
 * Servers that are started on prepared data folders, for drills.
 *
 * Ends: with `stop`, and with this process in whatever way it ends
 * Never: as root, on an address of the network, archiving, sending mail of its own: background workers of replication are off
 * Errors: NATIVE_TOOL_MISSING where there is no server of that version, NATIVE_TOOL_FAILED
 */
export interface PreparedServers {
  /** The version of the programs that would be used. Throws NATIVE_TOOL_MISSING. */
  find(serverVersion: string): Promise<string>
  /** Run a line of restore_command once as the server's user would; returns its exit code. */
  tryCommand(line: string, walName: string, outputPath: string): Promise<number>
  /** Without waiting for it to answer. */
  start(order: PreparedServerOrder): Promise<PreparedServer>
}
