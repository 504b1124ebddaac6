/** Where backups of one kind lie: one folder each, and a manifest in it that is written last. */
import type { z } from 'zod'
import type { JsonObject } from '#lib/kernel/index.ts'
import { BackstopError, ID_BYTES, isBackstopError, newId } from '#lib/kernel/index.ts'
import type { ObjectStore, Random } from '#lib/ports/index.ts'
import { decodeSealed, encodeSealed } from './sealed.ts'

export const MANIFEST_NAME = 'manifest.json'
const BACKUP_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

/** A backup that is there and cannot be offered, and why. */
export interface BackupProblem {
  readonly key: string
  readonly reason: string
}

export interface BackupList<T> {
  /** Newest first. */
  readonly backups: readonly T[]
  readonly problems: readonly BackupProblem[]
}

/** Throws CONFIG_INVALID for an id that is not one plain segment. */
export function chooseBackupId(given: string | undefined, prefix: string, random: Random): string {
  if (given === undefined) return newId(prefix, random.bytes(ID_BYTES))
  if (BACKUP_ID.test(given)) return given
  throw new BackstopError('CONFIG_INVALID', 'a backup id has 1 to 64 letters, digits, "_" and "-"')
}

/** Throws BACKUP_EXISTS when any object of the id is there: a backup, or what a killed run left. */
export async function assertFree(objects: ObjectStore, folder: string): Promise<void> {
  const { objects: found } = await objects.list(folder)
  if (found.length > 0) throw new BackstopError('BACKUP_EXISTS', `there are objects under ${folder} already`)
}

export async function writeManifest(objects: ObjectStore, folder: string, content: JsonObject): Promise<void> {
  await objects.put(`${folder}${MANIFEST_NAME}`, encodeSealed(content), { ifAbsent: true })
}

/**
 * After a failure, which is the news and not that something could not be removed. The manifest first: its write may have
 * arrived although the answer did not, and a manifest without content must not stay.
 */
export async function discard(objects: ObjectStore, folder: string, ...contentKeys: string[]): Promise<void> {
  for (const key of [`${folder}${MANIFEST_NAME}`, ...contentKeys]) await objects.delete(key).catch(() => undefined)
}

/** Throws BACKUP_MISSING, BACKUP_CORRUPT. */
export async function readManifest<T>(objects: ObjectStore, folder: string, schema: z.ZodType<T>): Promise<T> {
  try {
    return decodeSealed(await objects.read(`${folder}${MANIFEST_NAME}`), schema)
  } catch (error) {
    if (!isBackstopError(error, 'OBJECT_MISSING') && !isBackstopError(error, 'OBJECT_KEY_INVALID')) throw error
    throw new BackstopError('BACKUP_MISSING', `there is no backup under ${folder}`)
  }
}

/** Every backup below the prefix whose manifest is sound; folders without a manifest are runs that were killed or go on. */
export async function listManifests<T extends { readonly startedAt: string }>(
  objects: ObjectStore,
  prefix: string,
  schema: z.ZodType<T>,
): Promise<BackupList<T>> {
  const backups: T[] = []
  const problems: BackupProblem[] = []
  for await (const { key } of listAll(objects, prefix)) {
    if (!key.endsWith(`/${MANIFEST_NAME}`)) continue
    try {
      backups.push(await readManifest(objects, key.slice(0, -MANIFEST_NAME.length), schema))
    } catch (error) {
      if (!isBackstopError(error, 'BACKUP_CORRUPT')) throw error
      problems.push({ key, reason: error.message })
    }
  }
  return { backups: backups.sort((left, right) => compare(right.startedAt, left.startedAt)), problems }
}

export async function* listAll(objects: ObjectStore, prefix: string) {
  for (let cursor: string | undefined; ; ) {
    const page = await objects.list(prefix, cursor)
    yield* page.objects
    if (page.cursor === undefined) return
    cursor = page.cursor
  }
}

function compare(left: string, right: string): number {
  return left < right ? -1 : Number(left > right)
}
