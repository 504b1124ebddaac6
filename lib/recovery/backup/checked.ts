/** An object that is read in pieces, and proven to be what was stored. */
import { createHash } from 'node:crypto'
import type { Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError, isBackstopError, isSameDigest } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'

export interface StoredContent {
  readonly key: string
  readonly sizeBytes: number
  readonly sha256: string
}

export type OnBytes = (doneBytes: number, totalBytes: number) => void

/** Ends only when every byte was the stored one. Throws BACKUP_CORRUPT. */
export async function* readChecked(
  objects: ObjectStore,
  stored: StoredContent,
  onBytes: OnBytes = () => {},
): AsyncGenerator<Uint8Array, void> {
  const hash = createHash('sha256')
  let doneBytes = 0
  try {
    for await (const chunk of objects.readStream(stored.key)) {
      hash.update(chunk)
      doneBytes += chunk.length
      onBytes(doneBytes, stored.sizeBytes)
      yield chunk
    }
  } catch (error) {
    if (!isBackstopError(error, 'OBJECT_MISSING')) throw error
    throw new BackstopError('BACKUP_CORRUPT', `the object ${stored.key} is gone`, { cause: error })
  }
  if (isSameDigest(hash.digest('hex') as Sha256Hex, stored.sha256 as Sha256Hex)) return
  throw new BackstopError('BACKUP_CORRUPT', `checksum mismatch — ${stored.key} may be corrupted`)
}

/** Read all of it for the proof alone. Throws BACKUP_CORRUPT. */
export async function proveContent(objects: ObjectStore, stored: StoredContent, onBytes?: OnBytes): Promise<void> {
  for await (const _ of readChecked(objects, stored, onBytes)) void _
}
