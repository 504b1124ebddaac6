/** SHA-256 digests in lower-case hexadecimal, and comparison without a timing difference. */
import { hash, timingSafeEqual } from 'node:crypto'
import type { JsonValue } from './json.ts'
import { canonicalJson } from './json.ts'

export type Sha256Hex = string & { readonly __brand: 'Sha256Hex' }

export function sha256Hex(content: string | Uint8Array): Sha256Hex {
  return hash('sha256', content) as Sha256Hex
}

/** Digest of a value's canonical JSON. */
export function jsonDigest(value: JsonValue): Sha256Hex {
  return sha256Hex(canonicalJson(value))
}

/** True when both digests are equal; takes the same time wherever they differ. */
export function isSameDigest(left: Sha256Hex, right: Sha256Hex): boolean {
  const leftBytes = Buffer.from(left)
  const rightBytes = Buffer.from(right)
  return leftBytes.length === rightBytes.length && timingSafeEqual(leftBytes, rightBytes)
}
