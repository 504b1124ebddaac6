import type { Sha256Hex } from '#lib/kernel/index.ts'

export interface ObjectInfo {
  readonly key: string
  readonly sizeBytes: number
  readonly modifiedAtMs: number
}

export interface ByteRange {
  readonly startByte: number
  readonly lengthBytes: number
}

export interface ObjectPage {
  /** In ascending order of the key's UTF-8 bytes. */
  readonly objects: readonly ObjectInfo[]
  readonly cursor?: string
}

export interface WrittenObject {
  readonly sizeBytes: number
  /** Of the bytes that were written, computed while they passed. */
  readonly sha256: Sha256Hex
}

/** An object that is being written: invisible until `commit`, gone without a trace after `abort` or a crash. */
export interface ObjectUpload {
  /** Resolves when more may be written (back-pressure). */
  write(chunk: Uint8Array): Promise<void>
  /** Throws OBJECT_EXISTS when `ifAbsent` was asked and the key came into being meanwhile. */
  commit(): Promise<WrittenObject>
  /** Idempotent, also after a failed `commit`. */
  abort(): Promise<void>
}

export interface PutOptions {
  readonly ifAbsent?: boolean
}

/**
 * Whole immutable objects under slash-separated keys.
 *
 * Atomic and durable: a reader sees the old object, the whole new one or none, also across a crash.
 * Keys: 1 to 1,024 bytes of segments split by `/`; no empty, `.` or `..` segment, no control character. A store that lies
 * under a prefix takes as much less as its prefix is long.
 * Errors: OBJECT_MISSING, OBJECT_EXISTS, OBJECT_KEY_INVALID, OBJECT_RANGE_INVALID, STORAGE_UNREACHABLE.
 */
export interface ObjectStore {
  put(key: string, content: Uint8Array, options?: PutOptions): Promise<WrittenObject>
  openUpload(key: string, options?: PutOptions): Promise<ObjectUpload>
  /** The whole object or a range of it as one buffer. */
  read(key: string, range?: ByteRange): Promise<Uint8Array>
  readStream(key: string, range?: ByteRange): AsyncIterable<Uint8Array>
  find(key: string): Promise<ObjectInfo | undefined>
  /** At most 1,000 a page. */
  list(prefix: string, cursor?: string): Promise<ObjectPage>
  /** Idempotent: deleting what is not there succeeds. */
  delete(key: string): Promise<void>
}
