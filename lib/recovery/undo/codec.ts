/** A pre-image as the bytes of its object, and back. */
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { AuditId } from '#lib/kernel/index.ts'
import { BackstopError, sha256Hex } from '#lib/kernel/index.ts'
import type { UndoImage } from './model.ts'
import { undoImageSchema } from './model.ts'

const compress = promisify(gzip)
const expand = promisify(gunzip)
/** Far above what the limits let in; a file that claims more is not one of ours. */
const MAX_EXPANDED_BYTES = 1 << 30

export const UNDO_PREFIX = 'undo/'

export function undoKey(auditId: AuditId): string {
  return `${UNDO_PREFIX}${auditId}.json.gz`
}

/** Undefined for a key that is no pre-image's. */
export function auditIdOf(objectKey: string): AuditId | undefined {
  return /^undo\/(aud_[0-9a-f]{32})\.json\.gz$/.exec(objectKey)?.[1] as AuditId | undefined
}

export async function encodeImage(image: UndoImage): Promise<Uint8Array> {
  return await compress(JSON.stringify(image), { level: 1 })
}

/** Throws UNDO_CORRUPT unless the bytes are those that the digest was made of, and of this event. */
export async function decodeImage(bytes: Uint8Array, sha256: string, auditId: AuditId): Promise<UndoImage> {
  if (sha256Hex(bytes) !== sha256) {
    throw new BackstopError('UNDO_CORRUPT', `the pre-image of ${auditId} is not the one that was kept`)
  }
  const text = await expand(bytes, { maxOutputLength: MAX_EXPANDED_BYTES })
  const image = undoImageSchema.parse(JSON.parse(text.toString()))
  if (image.auditId === auditId) return image
  throw new BackstopError('UNDO_CORRUPT', `the pre-image under ${auditId} belongs to another event`)
}
