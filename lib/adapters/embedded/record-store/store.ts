/** The record store on one SQLite file that several processes may open at once. */
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
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
import {
  assertRecordKey,
  assertRecordQuery,
  assertRecordWrite,
  assertTransaction,
  encodeRecordBody,
} from '#lib/ports/index.ts'
import type { EncodedWrite } from './apply.ts'
import { WriteApplier } from './apply.ts'
import { CommitGroup } from './commit-group.ts'
import { asMetadataError } from './failure.ts'
import { RecordReader } from './read.ts'
import { prepareDatabase } from './schema.ts'
import { TransactionApplier } from './transaction.ts'

export interface SqliteRecordStoreOptions {
  /** A file, or `:memory:`. Its folder must exist. */
  readonly path: string
  readonly clock: Clock
  /** How long to wait for another process's write; 2,000 when absent. */
  readonly busyTimeoutMs?: number
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
  try {
    if (options.path !== ':memory:') createPrivateFile(options.path)
    const database = new DatabaseSync(options.path)
    try {
      prepareDatabase(database, options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS)
      return new SqliteStore(database, options.clock)
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    throw asMetadataError(error)
  }
}

/** SQLite would create it readable for everybody; its own files beside it take over these rights. */
function createPrivateFile(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
  const folder = openSync(dirname(resolve(path)), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function encodeWrite(write: RecordWrite): EncodedWrite {
  const hasBody = write.kind === 'create' || write.kind === 'replace'
  return { write, bodyText: hasBody ? encodeRecordBody(write.record) : '' }
}

class SqliteStore implements SqliteRecordStore {
  readonly #database: DatabaseSync
  readonly #clock: Clock
  readonly #group: CommitGroup
  readonly #reader: RecordReader
  readonly #writes: WriteApplier
  readonly #transactions: TransactionApplier

  constructor(database: DatabaseSync, clock: Clock) {
    this.#database = database
    this.#clock = clock
    this.#group = new CommitGroup(database)
    this.#reader = new RecordReader(database)
    this.#writes = new WriteApplier(database)
    this.#transactions = new TransactionApplier(database, this.#writes)
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
    const encoded = encodeWrite(write)
    return this.#group.add(() => this.#writes.apply(encoded, this.#nowS()))
  }

  async transact(writes: readonly RecordWrite[], token?: string): Promise<void> {
    assertTransaction(writes, token)
    const encoded = writes.map(encodeWrite)
    await this.#group.add(() => this.#transactions.apply(encoded, token, this.#nowS()))
  }

  async sweepExpired(limit = SWEEP_LIMIT): Promise<number> {
    return this.#group.add(() => {
      const nowS = this.#nowS()
      this.#database.prepare('DELETE FROM transaction_token WHERE expires_at_s <= ?').run(nowS)
      const expired = 'SELECT id FROM record WHERE expires_at_s <= ? LIMIT ?'
      return Number(this.#database.prepare(`DELETE FROM record WHERE id IN (${expired})`).run(nowS, limit).changes)
    })
  }

  async close(): Promise<void> {
    if (!this.#database.isOpen) return
    this.#group.flush()
    this.#database.close()
  }

  #read<T>(read: () => T): T {
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
