/** Removes what killed backups have left: content whose manifest was never written. */
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import { listAll, MANIFEST_NAME } from './shelf.ts'

const BACKUPS_PREFIX = 'backups/'
const HOUR_MS = 3_600_000

export interface SweepRequest {
  readonly nowMs: number
  /** A folder goes when everything in it is older than this: at least an hour, since a backup that runs has no manifest either. */
  readonly olderThanMs: number
  readonly isDryRun?: boolean
}

export interface SweptObject {
  readonly key: string
  readonly sizeBytes: number
  /** `left`: that is what a dry run would remove. */
  readonly outcome: 'removed' | 'left' | 'refused'
  /** Why the storage refused. */
  readonly reason?: string
}

export interface SweepReport {
  readonly swept: readonly SweptObject[]
  /** Folders without a manifest that are too young to be judged. */
  readonly young: readonly string[]
  /** Folders with a manifest, sound or not: never touched. */
  readonly backupCount: number
}

interface Folder {
  readonly objects: { readonly key: string; readonly sizeBytes: number }[]
  newestAtMs: number
}

/**
 * Look at every folder of backups, and remove those that no manifest was written for.
 *
 * Invariants: nothing of a folder that has a manifest is touched, however damaged that is; the manifest is looked for again
 *             right before anything goes. What the storage refuses is in the report
 * Throws:     CONFIG_INVALID for a bound below an hour, STORAGE_UNREACHABLE
 */
export async function sweepBackups(objects: ObjectStore, request: SweepRequest): Promise<SweepReport> {
  if (!(request.olderThanMs >= HOUR_MS)) {
    throw new BackstopError('CONFIG_INVALID', 'what is younger than an hour may belong to a backup that runs')
  }
  const folders = await readFolders(objects)
  const swept: SweptObject[] = []
  const young: string[] = []
  let backupCount = 0
  for (const [folder, found] of folders) {
    if (found.objects.some(({ key }) => key === manifestOf(folder))) backupCount += 1
    else if (request.nowMs - found.newestAtMs < request.olderThanMs) young.push(folder)
    else swept.push(...(await sweepFolder(objects, folder, found, request)))
  }
  return { swept, young, backupCount }
}

const manifestOf = (folder: string) => `${folder}${MANIFEST_NAME}`

async function readFolders(objects: ObjectStore): Promise<ReadonlyMap<string, Folder>> {
  const folders = new Map<string, Folder>()
  for await (const { key, sizeBytes, modifiedAtMs } of listAll(objects, BACKUPS_PREFIX)) {
    const name = key.slice(0, key.lastIndexOf('/') + 1)
    const folder = folders.get(name) ?? { objects: [], newestAtMs: modifiedAtMs }
    folder.objects.push({ key, sizeBytes })
    folder.newestAtMs = Math.max(folder.newestAtMs, modifiedAtMs)
    folders.set(name, folder)
  }
  return folders
}

async function sweepFolder(
  objects: ObjectStore,
  folder: string,
  found: Folder,
  request: SweepRequest,
): Promise<readonly SweptObject[]> {
  if (request.isDryRun === true) return found.objects.map((object) => ({ ...object, outcome: 'left' }))
  if ((await objects.find(manifestOf(folder))) !== undefined) return []
  const swept: SweptObject[] = []
  for (const object of found.objects) {
    try {
      await objects.delete(object.key)
      swept.push({ ...object, outcome: 'removed' })
    } catch (error) {
      if (!isBackstopError(error)) throw error
      swept.push({ ...object, outcome: 'refused', reason: error.message })
    }
  }
  return swept
}
