/** Keys that encrypt data, each wrapped under a key that never leaves its place. */
import { BackstopError } from '#lib/kernel/index.ts'

/**
 * What a data key is for, such as the bucket and the object. Bound to the wrapped key: opening needs the same.
 * Not secret: key services write it to their logs.
 */
export type KeyContext = Readonly<Record<string, string>>

export interface DataKey {
  /** 32 bytes, for AES-256. Kept in memory alone, and as short as can be. */
  readonly plaintext: Uint8Array
  /** Kept beside what was encrypted. */
  readonly wrapped: Uint8Array
  /** Names the key that wrapped it. */
  readonly keyId: string
}

/**
 * Envelope encryption: every data key is wrapped under the ring's current key and opens again after that was rotated.
 *
 * Integrity: a wrapped key that was changed in one bit, or comes with another context, is refused
 * Errors:    KEY_MISSING (no such key), KEY_REFUSED (wrong context, changed bytes, disabled key), KEYS_UNREACHABLE
 */
export interface KeyRing {
  generateDataKey(context: KeyContext): Promise<DataKey>
  unwrap(wrapped: Uint8Array, context: KeyContext): Promise<Uint8Array>
}

export const DATA_KEY_BYTES = 32
const MAX_ENTRIES = 16
const MAX_CONTEXT_CHARACTERS = 4_096

/** What every ring refuses before it touches its keys. An unbound key opens anywhere. */
export function assertKeyContext(context: KeyContext): void {
  const entries = Object.entries(context)
  const characters = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  const isSound = entries.every(([name, value]) => name !== '' && value !== '' && !name.startsWith('aws:'))
  if (entries.length >= 1 && entries.length <= MAX_ENTRIES && characters <= MAX_CONTEXT_CHARACTERS && isSound) return
  throw new BackstopError('BUG', `a key's context has 1 to ${MAX_ENTRIES} entries, none empty and none named aws:…`)
}
