/** Stores for records and objects from their locations. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { openFolderObjectStore, openSqliteRecordStore, type SqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import { parseS3Location } from './s3-location.ts'

/** What the storage is wanted for: a role that may only read is enough for listing and restoring. */
export type StorageNeed = 'read' | 'write'

function folderOf(storageUrl: string): string {
  let url: URL
  try {
    url = new URL(storageUrl)
  } catch {
    throw new BackstopError('STORAGE_URL_INVALID', 'The storage URL is malformed.')
  }
  if (url.protocol !== 'file:')
    throw new BackstopError('STORAGE_URL_INVALID', `There is no storage for ${url.protocol}//.`)
  return fileURLToPath(url)
}

/**
 * Open the object store at `file:///folder` or `s3://bucket[/prefix][@endpoint]`, and see that it can be used.
 *
 * Throws: STORAGE_URL_INVALID, STORAGE_UNREACHABLE
 */
export async function openStorage(storageUrl: string, need: StorageNeed = 'write'): Promise<ObjectStore> {
  if (storageUrl.startsWith('s3:')) return await openS3(storageUrl, need)
  return await openFolderObjectStore({ root: folderOf(storageUrl), clock: systemClock, random: systemRandom })
}

/** The cloud's library is loaded here, and only for such a URL. Credentials come by the SDK's own chain. */
async function openS3(storageUrl: string, need: StorageNeed): Promise<ObjectStore> {
  const location = parseS3Location(storageUrl)
  const { openS3ObjectStore } = await import('#lib/adapters/s3/index.ts')
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION } = process.env
  const endpoint = location.endpoint ?? (AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL || undefined)
  const region = AWS_REGION || AWS_DEFAULT_REGION || undefined
  const store = openS3ObjectStore({
    bucket: location.bucket,
    prefix: location.prefix,
    clock: systemClock,
    random: systemRandom,
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
  })
  await store.assertAccess(need)
  return store
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
