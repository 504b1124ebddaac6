/** What backups of whole databases and servers are made with: a storage, PostgreSQL's programs, time and randomness. */
import { createNativeTools, localFiles, type NativeToolsOptions } from '#lib/adapters/native/index.ts'
import type { Clock, LocalFiles, NativeTools, ObjectStore, Random } from '#lib/ports/index.ts'
import { openStorage, type StorageNeed } from '../storage.ts'
import { SYSTEM } from '../system.ts'

export interface BackupTools {
  readonly objects: ObjectStore
  readonly tools: NativeTools
  readonly files: LocalFiles
  readonly clock: Clock
  readonly random: Random
}

/** Throws STORAGE_URL_INVALID, STORAGE_UNREACHABLE. The programs are looked for when they are used. */
export async function openBackupTools(
  storageUrl: string,
  need: StorageNeed,
  native: NativeToolsOptions,
): Promise<BackupTools> {
  const objects = await openStorage(storageUrl, need)
  return { objects, tools: createNativeTools(native), files: localFiles, ...SYSTEM }
}
