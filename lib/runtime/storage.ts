/** Stores for records and objects from their locations. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openFolderObjectStore, openSqliteRecordStore, type SqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'

function folderOf(storageUrl: string): string {
  let url: URL
  try {
    url = new URL(storageUrl)
  } catch {
    throw new BackstopError('STORAGE_URL_INVALID', 'The storage URL is malformed.')
  }
  if (url.protocol === 's3:') {
    throw new BackstopError('NOT_AVAILABLE_YET', 's3:// is not available yet; this release stores in file:///folder')
  }
  if (url.protocol !== 'file:')
    throw new BackstopError('STORAGE_URL_INVALID', `There is no storage for ${url.protocol}//.`)
  return fileURLToPath(url)
}

/** Open the object store at `file:///folder`. Throws STORAGE_URL_INVALID, STORAGE_UNREACHABLE. */
export function openStorage(storageUrl: string): Promise<ObjectStore> {
  return openFolderObjectStore({ root: folderOf(storageUrl), clock: systemClock, random: systemRandom })
}

/** Open the metadata database, making its folder. Throws METADATA_UNREACHABLE. */
export function openMetadata(path: string): SqliteRecordStore {
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true })
    return openSqliteRecordStore({ path, clock: systemClock })
  } catch (error) {
    if (error instanceof BackstopError) throw error
    throw new BackstopError('METADATA_UNREACHABLE', `The metadata database ${path} cannot be opened.`, { cause: error })
  }
}
