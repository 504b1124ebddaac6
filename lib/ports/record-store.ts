import type { JsonObject } from '#lib/kernel/index.ts'

/** Where a record lives. Both parts are non-empty; together at most 1,024 bytes in UTF-8. */
export interface RecordKey {
  readonly partition: string
  readonly sort: string
}

/** The two secondary indexes; a record appears in an index only when it carries a key for it. */
export type RecordIndex = 'index1' | 'index2'

export interface RecordInput {
  readonly key: RecordKey
  readonly body: JsonObject
  readonly indexes?: Partial<Readonly<Record<RecordIndex, RecordKey>>>
  /** Epoch seconds. From then on the record is never returned; it is removed at some later time. */
  readonly expiresAtS?: number
}

export interface StoredRecord extends RecordInput {
  /** 1 when created, one more after each replacement. */
  readonly version: number
}

export type RecordWrite =
  /** Throws RECORD_EXISTS when a live record has the key. */
  | { readonly kind: 'create'; readonly record: RecordInput }
  /** Throws RECORD_CHANGED when the record is absent or has another version. */
  | { readonly kind: 'replace'; readonly record: RecordInput; readonly expectedVersion: number }
  /** Throws RECORD_CHANGED when the record is absent or has another version. */
  | { readonly kind: 'delete'; readonly key: RecordKey; readonly expectedVersion: number }
  /** Changes nothing; throws RECORD_CHANGED unless the record has this version (0: is absent). */
  | { readonly kind: 'check'; readonly key: RecordKey; readonly expectedVersion: number }

export interface RecordQuery {
  readonly partition: string
  /** Absent: by the record's own key. */
  readonly index?: RecordIndex
  /** Inclusive bounds on the sort key, compared by UTF-8 bytes. */
  readonly sortFrom?: string
  readonly sortTo?: string
  readonly sortPrefix?: string
  readonly descending?: boolean
  /** 1 to 1,000; 100 when absent. A page may be shorter than this and still have a cursor. */
  readonly limit?: number
  /** From the previous page of the same query. */
  readonly cursor?: string
}

export interface RecordPage {
  readonly records: readonly StoredRecord[]
  /** Absent on the last page. */
  readonly cursor?: string
}

export const MAX_TRANSACTION_WRITES = 25
export const MAX_RECORD_BYTES = 380_000

/**
 * Versioned documents in partitions: what DynamoDB can do, and no more.
 *
 * Durable: a write that returned is there after a crash of the process and of the machine.
 * Consistent: `find` and a query by key see every earlier write; a query by index may lag behind.
 * Atomic: every write alone and `transact` as a whole happens entirely or not at all; two that conflict have one winner.
 * Errors: RECORD_EXISTS, RECORD_CHANGED, RECORD_TOO_LARGE, RECORD_INVALID, CURSOR_INVALID, METADATA_UNREACHABLE.
 */
export interface RecordStore {
  find(key: RecordKey): Promise<StoredRecord | undefined>
  query(query: RecordQuery): Promise<RecordPage>
  /** One write; returns the record's new version (0 after a delete). */
  write(write: RecordWrite): Promise<number>
  /**
   * 1 to 25 writes on distinct keys. The same token within ten minutes is the same transaction: it has its effect once
   * and returns normally again.
   */
  transact(writes: readonly RecordWrite[], token?: string): Promise<void>
}
