/** The SQLite file: one table of records, one of transaction tokens, and the settings that make a commit durable. */
import type { DatabaseSync } from 'node:sqlite'
import { BackstopError } from '#lib/kernel/index.ts'

const FORMAT_VERSION = 1
const APPLICATION_ID = 0x42_4b_53_54 // "BKST"
/** Of SQLite's result codes, the lowest byte. */
const PRIMARY_CODE = 0xff
const SQLITE_BUSY = 5
const BUSY_PAUSE_MS = 5

/** TEXT in UTF-8 with BINARY collation compares by bytes. A rowid table, because bodies are large against a page. */
const CREATE_SCHEMA = `
  CREATE TABLE IF NOT EXISTS record (
    id INTEGER PRIMARY KEY,
    partition TEXT NOT NULL,
    sort TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    expires_at_s INTEGER,
    index1_partition TEXT,
    index1_sort TEXT,
    index2_partition TEXT,
    index2_sort TEXT
  ) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS record_key ON record (partition, sort);
  CREATE INDEX IF NOT EXISTS record_index1 ON record (index1_partition, index1_sort, partition, sort)
    WHERE index1_partition IS NOT NULL;
  CREATE INDEX IF NOT EXISTS record_index2 ON record (index2_partition, index2_sort, partition, sort)
    WHERE index2_partition IS NOT NULL;
  CREATE INDEX IF NOT EXISTS record_expiry ON record (expires_at_s) WHERE expires_at_s IS NOT NULL;
  CREATE TABLE IF NOT EXISTS transaction_token (
    token TEXT PRIMARY KEY,
    writes_sha256 TEXT NOT NULL,
    expires_at_s INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS transaction_token_expiry ON transaction_token (expires_at_s);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT_VERSION};`

/** Settings of one connection: whatever it commits is on disk. */
export function configureConnection(database: DatabaseSync, busyTimeoutMs: number): void {
  database.exec(`
    PRAGMA busy_timeout = ${busyTimeoutMs};
    PRAGMA encoding = 'UTF-8';`)
  useWriteAheadLog(database, busyTimeoutMs)
  database.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 2000;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA cache_size = -16384;
    PRAGMA foreign_keys = OFF;
    PRAGMA trusted_schema = OFF;`)
}

/** SQLite waits for nobody here: of two that turn a new file over at once, one is told at once that it is locked. */
function useWriteAheadLog(database: DatabaseSync, busyTimeoutMs: number): void {
  const deadlineMs = performance.now() + busyTimeoutMs
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadlineMs) throw error
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_PAUSE_MS)
  }
}

function isBusy(error: unknown): boolean {
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode === 'number' && (errcode & PRIMARY_CODE) === SQLITE_BUSY
}

/** Create the tables where they are missing. Throws METADATA_UNREACHABLE when the file is not ours. */
export function prepareTables(database: DatabaseSync): void {
  if (isOurs(database)) return
  createSchema(database)
}

/** One who creates the tables may come between the two readings: only under a lock they belong together, unless both are ours. */
function isOurs(database: DatabaseSync): boolean {
  return (
    readPragma(database, 'user_version') === FORMAT_VERSION && readPragma(database, 'application_id') === APPLICATION_ID
  )
}

/** Two processes may open a new file at once: the second finds the tables there. */
function createSchema(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    if (!isOurs(database)) {
      if (readPragma(database, 'user_version') !== 0 || readPragma(database, 'application_id') !== 0) {
        throw new BackstopError('METADATA_UNREACHABLE', 'the metadata file is of another program or a newer version')
      }
      database.exec(CREATE_SCHEMA)
    }
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function readPragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
}
