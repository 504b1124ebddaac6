/** Manifests as canonical JSON with their own digest, and back with every check. */
import type { JsonObject, Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError, canonicalJson, isSameDigest, jsonDigest } from '#lib/kernel/index.ts'
import type { Manifest } from './model.ts'
import { manifestSchema } from './model.ts'

export interface SealedManifest {
  readonly manifest: Manifest
  readonly sha256: Sha256Hex
}

/** The words of the troubleshooting page: people search for them. */
const MISMATCH = 'manifest checksum mismatch — snapshot may be corrupted'
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Canonical JSON of the manifest with `manifestSha256`, the digest of everything else in it. */
export function encodeManifest(manifest: Manifest): { readonly bytes: Uint8Array; readonly sha256: Sha256Hex } {
  const sha256 = jsonDigest(manifest)
  return { bytes: Buffer.from(canonicalJson({ ...manifest, manifestSha256: sha256 })), sha256 }
}

/**
 * Read a manifest and prove it.
 *
 * Throws: `SNAPSHOT_CORRUPT` when the digest is not that of the content, or not the expected one;
 *         `MANIFEST_INVALID` when it is not JSON or lacks a field
 */
export function decodeManifest(bytes: Uint8Array, expectedSha256?: string): SealedManifest {
  const { manifestSha256, ...content } = parse(bytes)
  const sha256 = jsonDigest(content)
  const isSame = typeof manifestSha256 === 'string' && isSameDigest(sha256, manifestSha256 as Sha256Hex)
  if (!isSame) throw new BackstopError('SNAPSHOT_CORRUPT', MISMATCH)
  if (expectedSha256 !== undefined && !isSameDigest(sha256, expectedSha256 as Sha256Hex)) {
    throw new BackstopError('SNAPSHOT_CORRUPT', MISMATCH)
  }
  const result = manifestSchema.safeParse(content)
  if (result.success) return { manifest: result.data, sha256 }
  const field = result.error.issues[0]?.path.join('.') ?? ''
  throw new BackstopError('MANIFEST_INVALID', `the manifest's field "${field}" is missing or malformed`)
}

/** The error of a part whose bytes are not those that the manifest names. */
export function partMismatch(key: string): BackstopError {
  return new BackstopError('SNAPSHOT_CORRUPT', MISMATCH, { details: { key } })
}

function parse(bytes: Uint8Array): JsonObject {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  } catch (error) {
    throw new BackstopError('MANIFEST_INVALID', 'the manifest is not JSON', { cause: error })
  }
  throw new BackstopError('MANIFEST_INVALID', 'the manifest is not a JSON object')
}
