/** The record store on one SQLite file that several processes may open at once. */
import { DatabaseSync } from 'node:sqlite'
import type {
  Clock,
  RecordKey,
  RecordPage,
  RecordQuery,
  RecordStore,
  RecordWrite,
  StoredRecord,
} from '#lib/ports/index.ts'
import { assertRecordKey, assertRecordQuery, assertRecordWrite, assertTransaction } from '#lib/ports/index.ts'
import { encodeToken, encodeWrite } from './encode.ts'
import { asMetadataError } from './failure.ts'
import { createPrivateFile } from './file.ts'
import { InlineWriter } from './inline-writer.ts'
import type { Writer } from './model.ts'
import { RecordReader } from './read.ts'
import { configureConnection, prepareTables } from './schema.ts'
import { ThreadWriter } from './thread-writer.ts'

export interface SqliteRecordStoreOptions {
  /** A file, or `:memory:`. Its folder must exist. */
  readonly path: string
  readonly clock: Clock
  /** How long to wait for another process's write; 2,000 when absent. */
  readonly busyTimeoutMs?: number
  /**
   * Write on the caller's thread. For a program that waits for each of its writes anyway: it spares the start of the writer's
   * thread, 60 ms. In memory it is always so.
   */
  readonly isWrittenInline?: boolean
}

export interface SqliteRecordStore extends RecordStore {
  /** Remove expired records, at most `limit` of them (1,000 when absent); returns how many. */
  sweepExpired(limit?: number): Promise<number>
  /** Commits what waits. Idempotent; later calls throw METADATA_UNREACHABLE. */
  close(): Promise<void>
}

const DEFAULT_BUSY_TIMEOUT_MS = 2_000
const SWEEP_LIMIT = 1_000

/** Throws METADATA_UNREACHABLE when the file cannot be opened, created or trusted. */
export function openSqliteRecordStore(options: SqliteRecordStoreOptions): SqliteRecordStore {
  const { path, clock, busyTimeoutMs = DEFAULT_BUSY_TIMEOUT_MS } = options
  const isInMemory = path === ':memory:'
  const isInline = isInMemory || options.isWrittenInline === true
  try {
    if (!isInMemory) createPrivateFile(path)
    const database = new DatabaseSync(path)
    try {
      configureConnection(database, busyTimeoutMs)
      prepareTables(database)
      if (!isInline) database.exec('PRAGMA query_only = ON')
      const writer = isInline ? new InlineWriter(database) : new ThreadWriter({ path, busyTimeoutMs })
      return new SqliteStore(database, writer, clock)
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    throw asMetadataError(error)
  }
}

/** Reads at once, on a connection of its own where a thread writes: it sees every commit that the writer has confirmed. */
class SqliteStore implements SqliteRecordStore {
  readonly #database: DatabaseSync
  readonly #writer: Writer
  readonly #clock: Clock
  readonly #reader: RecordReader

  constructor(database: DatabaseSync, writer: Writer, clock: Clock) {
    this.#database = database
    this.#writer = writer
    this.#clock = clock
    this.#reader = new RecordReader(database)
  }

  async find(key: RecordKey): Promise<StoredRecord | undefined> {
    assertRecordKey(key)
    return this.#read(() => this.#reader.find(key, this.#nowS()))
  }

  async query(query: RecordQuery): Promise<RecordPage> {
    assertRecordQuery(query)
    return this.#read(() => this.#reader.query(query, this.#nowS()))
  }

  async write(write: RecordWrite): Promise<number> {
    assertRecordWrite(write)
    return this.#writer.submit({ kind: 'write', write: encodeWrite(write), nowS: this.#nowS() })
  }

  async transact(writes: readonly RecordWrite[], token?: string): Promise<void> {
    assertTransaction(writes, token)
    const once = encodeToken(token, writes)
    await this.#writer.submit({ kind: 'transact', writes: writes.map(encodeWrite), once, nowS: this.#nowS() })
  }

  async sweepExpired(limit = SWEEP_LIMIT): Promise<number> {
    return this.#writer.submit({ kind: 'sweep', limit, nowS: this.#nowS() })
  }

  async close(): Promise<void> {
    await this.#writer.close()
    if (this.#database.isOpen) this.#database.close()
  }

  #read<T>(read: () => T): T {
    this.#writer.assertAlive()
    try {
      return read()
    } catch (error) {
      throw asMetadataError(error)
    }
  }

  #nowS(): number {
    return Math.floor(this.#clock.nowMs() / 1_000)
  }
}
