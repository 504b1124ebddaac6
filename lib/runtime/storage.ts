/** Stores for records and objects from their locations. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { openFolderObjectStore, openSqliteRecordStore, type SqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import type { S3ObjectStore } from '#lib/adapters/s3/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore, RecordStore } from '#lib/ports/index.ts'
import { parseS3Location, type S3Location } from './s3-location.ts'
import { isTableLocation, parseTableLocation } from './table-location.ts'

/** What the storage is wanted for: a role that may only read is enough for listing and restoring. */
export type StorageNeed = 'read' | 'write'

/** The folder of a `file:` URL. Throws STORAGE_URL_INVALID. */
export function folderOf(storageUrl: string): string {
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

async function openS3(storageUrl: string, need: StorageNeed): Promise<ObjectStore> {
  const store = await openS3Store(parseS3Location(storageUrl))
  await store.assertAccess(need)
  return store
}

/**
 * A bucket that nothing was sent to yet. The cloud's library is loaded here, and only for such a URL; credentials come by the
 * SDK's own chain. Throws STORAGE_URL_INVALID.
 */
export async function openS3Store(location: S3Location): Promise<S3ObjectStore> {
  const { openS3ObjectStore } = await import('#lib/adapters/s3/index.ts')
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION } = process.env
  const endpoint = location.endpoint ?? (AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL || undefined)
  const region = AWS_REGION || AWS_DEFAULT_REGION || undefined
  return openS3ObjectStore({
    bucket: location.bucket,
    prefix: location.prefix,
    clock: systemClock,
    random: systemRandom,
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
  })
}

/** Records that a command reads and writes, and closes when it is done. */
export interface Metadata extends RecordStore {
  close(): Promise<void>
}

export interface MetadataFileOptions {
  /** For a command, which does nothing while it writes: no thread is started for it. */
  readonly isWrittenInline?: boolean
}

/** Open a metadata database file, making its folder. Throws METADATA_UNREACHABLE; CONFIG_INVALID for a table. */
export function openMetadataFile(path: string, options: MetadataFileOptions = {}): SqliteRecordStore {
  if (isTableLocation(path)) {
    throw new BackstopError(
      'CONFIG_INVALID',
      'A product of one process keeps its metadata in a file. dynamodb:// is for commands beside a deployment.',
    )
  }
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true })
    return openSqliteRecordStore({ path, clock: systemClock, ...options })
  } catch (error) {
    if (error instanceof BackstopError) throw error
    throw new BackstopError('METADATA_UNREACHABLE', `The metadata database ${path} cannot be opened.`, { cause: error })
  }
}

/**
 * Open the metadata at a path or at `dynamodb://table[@endpoint]`, where a deployment keeps it, for one command.
 *
 * Throws: METADATA_UNREACHABLE, CONFIG_INVALID
 */
export async function openMetadata(location: string): Promise<Metadata> {
  return isTableLocation(location) ? await openTable(location) : openMetadataFile(location, { isWrittenInline: true })
}

async function openTable(location: string): Promise<Metadata> {
  const { table, endpoint } = parseTableLocation(location)
  const { openDynamoRecordStore } = await import('#lib/adapters/aws/index.ts')
  const { AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION } = process.env
  const region = AWS_REGION || AWS_DEFAULT_REGION
  if (!region) throw new BackstopError('CONFIG_INVALID', 'Set AWS_REGION to the region of the table.')
  const at = endpoint ?? (AWS_ENDPOINT_URL_DYNAMODB || AWS_ENDPOINT_URL || undefined)
  const client = { region, ...(at !== undefined && { endpoint: at }) }
  const store = openDynamoRecordStore({ table, client, clock: systemClock })
  return {
    find: (key) => store.find(key),
    query: (query) => store.query(query),
    write: (write) => store.write(write),
    transact: (writes, token) => store.transact(writes, token),
    close: async () => store.close(),
  }
}
