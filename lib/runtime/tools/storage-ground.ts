/** A storage as the doctor looks at it: opened without a word, with what it says of itself. */
import { existsSync, statfsSync, statSync } from 'node:fs'
import { parse } from 'node:path'
import process from 'node:process'
import { openFolderObjectStore } from '#lib/adapters/embedded/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import type { StorageFacts } from '#lib/recovery/index.ts'
import { parseS3Location } from '../s3-location.ts'
import { folderOf, openS3Store } from '../storage.ts'
import { SYSTEM } from '../system.ts'

export interface StorageGround {
  readonly objects: ObjectStore
  readonly facts: StorageFacts
}

/** Nothing is tried yet. Throws STORAGE_URL_INVALID, STORAGE_UNREACHABLE for a folder that is not there. */
export async function openStorageGround(storageUrl: string): Promise<StorageGround> {
  return storageUrl.startsWith('s3:') ? await openBucketGround(storageUrl) : await openFolderGround(storageUrl)
}

async function openBucketGround(storageUrl: string): Promise<StorageGround> {
  const location = parseS3Location(storageUrl)
  const objects = await openS3Store(location)
  const { isVersioned, isLocked, unknown } = await objects.describe()
  return {
    objects,
    facts: {
      kind: 's3',
      place: location.bucket,
      prefix: location.prefix,
      unknown,
      ...(isVersioned === undefined ? {} : { isVersioned }),
      ...(isLocked === undefined ? {} : { isLocked }),
    },
  }
}

async function openFolderGround(storageUrl: string): Promise<StorageGround> {
  const place = folderOf(storageUrl)
  if (!existsSync(place)) throw new BackstopError('STORAGE_UNREACHABLE', `there is no folder at ${storageUrl}`)
  const { mode, uid, dev } = statSync(place)
  const { bavail, bsize } = statfsSync(place)
  const objects = await openFolderObjectStore({ root: place, ...SYSTEM })
  return {
    objects,
    facts: {
      kind: 'folder',
      place,
      prefix: '',
      unknown: [],
      mode: mode & 0o7777,
      isOwn: uid === process.getuid?.(),
      freeBytes: bavail * bsize,
      isOnSystemDisk: dev === statSync(parse(place).root).dev,
    },
  }
}
