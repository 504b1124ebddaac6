/** Set manifests as canonical JSON with their own digest, where they lie, and back with every check. */
import type { JsonObject, SetId, Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError, canonicalJson, isSameDigest, jsonDigest } from '#lib/kernel/index.ts'
import type { SetManifest } from './model.ts'
import { setManifestSchema } from './model.ts'

export const SETS_PREFIX = 'sets/'

const KEY = /^sets\/(set_[0-9a-f]{32})\/manifest\.json$/
const utf8 = new TextDecoder('utf-8', { fatal: true })

export interface SealedSet {
  readonly manifest: SetManifest
  readonly key: string
  readonly sha256: Sha256Hex
}

export function setManifestKey(setId: SetId): string {
  return `${SETS_PREFIX}${setId}/manifest.json`
}

/** Undefined for a key that is no set's. */
export function setIdOf(key: string): SetId | undefined {
  return KEY.exec(key)?.[1] as SetId | undefined
}

/** Canonical JSON with `manifestSha256`, the digest of everything else in it. */
export function encodeSet(manifest: SetManifest): { readonly bytes: Uint8Array; readonly sha256: Sha256Hex } {
  const sha256 = jsonDigest(manifest)
  return { bytes: Buffer.from(canonicalJson({ ...manifest, manifestSha256: sha256 })), sha256 }
}

/** Throws SET_INVALID when it is not what was sealed, not of this form, or not of this place. */
export function decodeSet(bytes: Uint8Array, key: string, expectedSha256?: string): SealedSet {
  const { manifestSha256, ...content } = parse(bytes)
  const sha256 = jsonDigest(content)
  const isSealed = typeof manifestSha256 === 'string' && isSameDigest(sha256, manifestSha256 as Sha256Hex)
  const isExpected = expectedSha256 === undefined || isSameDigest(sha256, expectedSha256 as Sha256Hex)
  if (!isSealed || !isExpected) {
    throw new BackstopError('SET_INVALID', 'manifest checksum mismatch — the list of the set may be corrupted')
  }
  const result = setManifestSchema.safeParse(content)
  if (!result.success) {
    const field = result.error.issues[0]?.path.join('.') ?? ''
    throw new BackstopError('SET_INVALID', `the field "${field}" of the set is missing or malformed`)
  }
  if (setManifestKey(result.data.setId) === key) return { manifest: result.data, key, sha256 }
  throw new BackstopError('SET_INVALID', 'the list under this key is that of another set')
}

function parse(bytes: Uint8Array): JsonObject {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  } catch (error) {
    throw new BackstopError('SET_INVALID', 'the list of the set is not JSON', { cause: error })
  }
  throw new BackstopError('SET_INVALID', 'the list of the set is not a JSON object')
}
