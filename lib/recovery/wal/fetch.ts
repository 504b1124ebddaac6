/** Brings one file of WAL back: proven first, then whole in its place. */
import { isBackstopError } from '#lib/kernel/index.ts'
import type { LocalFiles, ObjectStore } from '#lib/ports/index.ts'
import { openWal, type WalContent } from './envelope.ts'
import { parseWalName } from './name.ts'
import { walKey } from './place.ts'

export interface FetchOrder {
  readonly clusterId: string
  /** `%f`. */
  readonly name: string
  /** `%p`. */
  readonly outputPath: string
}

export type FetchResult =
  | { readonly found: true; readonly name: string; readonly key: string; readonly sizeBytes: number }
  | { readonly found: false; readonly name: string; readonly key: string }

/** Undefined when it is not in the archive. Throws WAL_INVALID, WAL_CORRUPT. */
export async function findWal(objects: ObjectStore, clusterId: string, name: string): Promise<WalContent | undefined> {
  const file = parseWalName(name)
  let sealed: Uint8Array
  try {
    sealed = await objects.read(walKey(clusterId, file))
  } catch (error) {
    if (isBackstopError(error, 'OBJECT_MISSING')) return undefined
    throw error
  }
  return await openWal(file.name, sealed)
}

/**
 * Writes nothing when it is not in the archive, which is an answer and no error.
 *
 * Throws: WAL_INVALID, WAL_CORRUPT, LOCAL_FILE_FAILED, STORAGE_UNREACHABLE
 */
export async function fetchWal(objects: ObjectStore, files: LocalFiles, order: FetchOrder): Promise<FetchResult> {
  const file = parseWalName(order.name)
  const key = walKey(order.clusterId, file)
  const found = await findWal(objects, order.clusterId, order.name)
  if (found === undefined) return { found: false, name: file.name, key }
  await files.replace(order.outputPath, found.content)
  return { found: true, name: file.name, key, sizeBytes: found.content.length }
}
