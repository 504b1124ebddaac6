/** What every object store refuses before it touches its storage, so that all of them refuse the same. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { ByteRange } from './object-store.ts'

export const MAX_OBJECT_KEY_BYTES = 1_024
export const OBJECT_PAGE_LIMIT = 1_000

function refuse(message: string): never {
  throw new BackstopError('OBJECT_KEY_INVALID', message)
}

function assertText(text: unknown): asserts text is string {
  if (typeof text !== 'string') refuse('an object key is a string')
  if (!text.isWellFormed()) refuse('the object key holds half of a surrogate pair')
  if (/\p{Cc}/u.test(text)) refuse('the object key holds a control character')
  if (Buffer.byteLength(text) > MAX_OBJECT_KEY_BYTES)
    refuse(`the object key is longer than ${MAX_OBJECT_KEY_BYTES} bytes`)
}

const isPlainSegment = (segment: string) => segment !== '' && segment !== '.' && segment !== '..'

/** Throws OBJECT_KEY_INVALID. */
export function assertObjectKey(key: string): void {
  assertText(key)
  if (!key.split('/').every(isPlainSegment)) refuse('the object key has an empty, "." or ".." segment')
}

/** A prefix is the beginning of a key, anywhere in it; empty: everything. Throws OBJECT_KEY_INVALID. */
export function assertObjectPrefix(prefix: string): void {
  assertText(prefix)
  if (!prefix.split('/').slice(0, -1).every(isPlainSegment)) refuse('the prefix has an empty, "." or ".." segment')
}

/** Throws OBJECT_RANGE_INVALID unless the range lies inside the object and is not empty. */
export function assertByteRange(range: ByteRange, sizeBytes: number): void {
  const { startByte, lengthBytes } = range
  const isWhole = Number.isSafeInteger(startByte) && Number.isSafeInteger(lengthBytes)
  if (isWhole && startByte >= 0 && lengthBytes >= 1 && startByte + lengthBytes <= sizeBytes) return
  throw new BackstopError('OBJECT_RANGE_INVALID', `the range is not inside the object of ${sizeBytes} bytes`, {
    details: { startByte, lengthBytes, sizeBytes },
  })
}
