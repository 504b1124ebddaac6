/** Manifests of backups as canonical JSON with their own digest, and back with every check. Pure. */
import type { z } from 'zod'
import type { JsonObject, Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError, canonicalJson, isSameDigest, jsonDigest } from '#lib/kernel/index.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The content with `manifestSha256`, the digest of everything else in it. */
export function encodeSealed(content: JsonObject): Uint8Array {
  return Buffer.from(canonicalJson({ ...content, manifestSha256: jsonDigest(content) }))
}

/** Throws BACKUP_CORRUPT when it is not what was sealed, or not of this form. */
export function decodeSealed<T>(bytes: Uint8Array, schema: z.ZodType<T>): T {
  const { manifestSha256, ...content } = parse(bytes)
  const isSealed = typeof manifestSha256 === 'string'
  if (!isSealed || !isSameDigest(jsonDigest(content), manifestSha256 as Sha256Hex)) {
    throw new BackstopError('BACKUP_CORRUPT', 'manifest checksum mismatch — backup may be corrupted')
  }
  const result = schema.safeParse(content)
  if (result.success) return result.data
  const field = result.error.issues[0]?.path.join('.') ?? ''
  throw new BackstopError('BACKUP_CORRUPT', `the manifest's field "${field}" is missing or malformed`)
}

function parse(bytes: Uint8Array): JsonObject {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  } catch {
    // Said below.
  }
  throw new BackstopError('BACKUP_CORRUPT', 'the manifest is not a JSON object')
}
