/** What every record store refuses before it touches its storage, so that all of them refuse the same. */
import type { JsonValue } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { RecordInput, RecordKey, RecordQuery, RecordWrite } from './record-store.ts'
import { MAX_RECORD_BYTES, MAX_TRANSACTION_WRITES } from './record-store.ts'

export const MAX_RECORD_KEY_BYTES = 1_024
export const DEFAULT_PAGE_LIMIT = 100
export const MAX_PAGE_LIMIT = 1_000

const MAX_EXPIRY_S = 253_402_300_799 // 9999-12-31T23:59:59Z

function refuse(message: string): never {
  throw new BackstopError('RECORD_INVALID', message)
}

function assertKeyPart(part: unknown, name: string): asserts part is string {
  if (typeof part !== 'string' || part.length === 0) refuse(`the ${name} must be a non-empty string`)
  if (!part.isWellFormed()) refuse(`the ${name} holds half of a surrogate pair`)
}

/** Throws RECORD_INVALID. */
export function assertRecordKey(key: RecordKey): void {
  assertKeyPart(key.partition, 'partition')
  assertKeyPart(key.sort, 'sort key')
  const sizeBytes = Buffer.byteLength(key.partition) + Buffer.byteLength(key.sort)
  if (sizeBytes > MAX_RECORD_KEY_BYTES) refuse(`a key of ${sizeBytes} bytes is longer than ${MAX_RECORD_KEY_BYTES}`)
}

export function keyOfWrite(write: RecordWrite): RecordKey {
  return write.kind === 'create' || write.kind === 'replace' ? write.record.key : write.key
}

function assertFinite(value: JsonValue | undefined): void {
  if (typeof value === 'number' && !Number.isFinite(value)) refuse('a body cannot hold NaN or an infinity')
  if (typeof value === 'bigint') refuse('a body cannot hold a bigint; write it as a decimal string')
  if (value !== null && typeof value === 'object') for (const member of Object.values(value)) assertFinite(member)
}

/**
 * The body's JSON text.
 *
 * Units:  the limit counts the text's UTF-8 bytes and all keys
 * Throws: RECORD_INVALID, RECORD_TOO_LARGE
 */
export function encodeRecordBody(record: RecordInput): string {
  assertFinite(record.body)
  const text = JSON.stringify(record.body)
  const sizeBytes = Buffer.byteLength(text) + keyBytes(record)
  if (sizeBytes <= MAX_RECORD_BYTES) return text
  throw new BackstopError('RECORD_TOO_LARGE', `a record of ${sizeBytes} bytes is larger than ${MAX_RECORD_BYTES}`, {
    details: { sizeBytes, limitBytes: MAX_RECORD_BYTES },
  })
}

function keyBytes(record: RecordInput): number {
  const keys = [record.key, record.indexes?.index1, record.indexes?.index2]
  return keys.reduce((sum, key) => sum + (key ? Buffer.byteLength(key.partition) + Buffer.byteLength(key.sort) : 0), 0)
}

function assertVersion(version: number, lowest: number): void {
  if (!Number.isSafeInteger(version) || version < lowest) refuse(`the expected version must be ${lowest} or more`)
}

function assertRecord(record: RecordInput): void {
  if (record.indexes?.index1) assertRecordKey(record.indexes.index1)
  if (record.indexes?.index2) assertRecordKey(record.indexes.index2)
  const expiry = record.expiresAtS
  if (expiry !== undefined && !(Number.isSafeInteger(expiry) && expiry >= 0 && expiry <= MAX_EXPIRY_S)) {
    refuse('the expiry must be whole epoch seconds before the year 10000')
  }
}

/** Throws RECORD_INVALID. */
export function assertRecordWrite(write: RecordWrite): void {
  assertRecordKey(keyOfWrite(write))
  if (write.kind === 'create' || write.kind === 'replace') assertRecord(write.record)
  if (write.kind === 'replace' || write.kind === 'delete') assertVersion(write.expectedVersion, 1)
  if (write.kind === 'check') assertVersion(write.expectedVersion, 0)
}

/** Throws RECORD_INVALID. */
export function assertTransaction(writes: readonly RecordWrite[], token: string | undefined): void {
  if (writes.length < 1 || writes.length > MAX_TRANSACTION_WRITES) {
    refuse(`a transaction holds 1 to ${MAX_TRANSACTION_WRITES} writes, this one ${writes.length}`)
  }
  const keys = new Set<string>()
  for (const write of writes) {
    assertRecordWrite(write)
    const { partition, sort } = keyOfWrite(write)
    keys.add(JSON.stringify([partition, sort]))
  }
  if (keys.size !== writes.length) refuse('the writes of a transaction must be on distinct records')
  if (token !== undefined && !/^[\x21-\x7e]{1,36}$/.test(token)) {
    refuse('a transaction token is 1 to 36 printable ASCII characters')
  }
}

/** Throws RECORD_INVALID. */
export function assertRecordQuery(query: RecordQuery): void {
  assertKeyPart(query.partition, 'partition')
  for (const bound of [query.sortFrom, query.sortTo, query.sortPrefix]) {
    if (bound === undefined) continue
    assertKeyPart(bound, 'sort bound')
    if (Buffer.byteLength(bound) > MAX_RECORD_KEY_BYTES) refuse(`a sort bound is at most ${MAX_RECORD_KEY_BYTES} bytes`)
  }
  const limit = query.limit ?? DEFAULT_PAGE_LIMIT
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE_LIMIT) {
    refuse(`the limit of a page is 1 to ${MAX_PAGE_LIMIT}`)
  }
}
