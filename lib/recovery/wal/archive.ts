/** Archives one file of WAL: returns only when it is durable and was read back. */
import { BackstopError, isBackstopError, isSameDigest, type Sha256Hex, sha256Hex } from '#lib/kernel/index.ts'
import type { LocalFiles, ObjectStore } from '#lib/ports/index.ts'
import { openWal, sealWal } from './envelope.ts'
import { parseWalName, type WalFile } from './name.ts'
import { MAX_SEGMENT_BYTES, readSegment } from './page-header.ts'
import { claimSystem, walKey } from './place.ts'

export interface ArchiveOrder {
  readonly clusterId: string
  /** Of the file on this machine: `%p`. */
  readonly path: string
  /** `%f`. */
  readonly name: string
}

export interface ArchiveReport {
  readonly name: string
  readonly key: string
  readonly sizeBytes: number
  /** As stored; undefined when it was there already. */
  readonly storedBytes: number
  readonly sha256: Sha256Hex
  /** False: the very same file was there already. */
  readonly isNew: boolean
}

/**
 * Idempotent: the same file again is proven and counts; another one of that name is refused and changes nothing.
 *
 * Throws: WAL_INVALID, WAL_SYSTEM_MISMATCH, WAL_CONFLICT, WAL_CORRUPT, LOCAL_FILE_FAILED
 */
export async function archiveWal(
  objects: ObjectStore,
  files: Pick<LocalFiles, 'read'>,
  order: ArchiveOrder,
): Promise<ArchiveReport> {
  const file = parseWalName(order.name)
  const content = await files.read(order.path, MAX_SEGMENT_BYTES)
  await check(objects, order.clusterId, file, content)
  const sha256 = sha256Hex(content)
  const key = walKey(order.clusterId, file)
  const isNew =
    (await objects.find(key)) === undefined && (await putNew(objects, key, await sealWal(file.name, content)))
  const storedBytes = await readBack(objects, key, file, sha256)
  return { name: file.name, key, sizeBytes: content.length, storedBytes, sha256, isNew }
}

async function check(objects: ObjectStore, clusterId: string, file: WalFile, content: Uint8Array): Promise<void> {
  if (content.length === 0) throw new BackstopError('WAL_INVALID', `${file.name} cannot be archived: it is empty`)
  if (file.kind === 'segment' || file.kind === 'partial') {
    await claimSystem(objects, clusterId, readSegment(file, content))
  }
}

/** False when another one was faster. */
async function putNew(objects: ObjectStore, key: string, sealed: Uint8Array): Promise<boolean> {
  try {
    await objects.put(key, sealed, { ifAbsent: true })
    return true
  } catch (error) {
    if (isBackstopError(error, 'OBJECT_EXISTS')) return false
    throw error
  }
}

/** What is in the storage now, whoever wrote it, is this content. Returns its stored size. */
async function readBack(objects: ObjectStore, key: string, file: WalFile, sha256: Sha256Hex): Promise<number> {
  const sealed = await objects.read(key)
  const stored = await openWal(file.name, sealed)
  if (isSameDigest(stored.sha256, sha256)) return sealed.length
  throw new BackstopError('WAL_CONFLICT', `another ${file.name} is in the archive; nothing was overwritten`, {
    details: { key },
  })
}
