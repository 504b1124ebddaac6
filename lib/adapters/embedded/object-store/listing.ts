/** A walk through the folder in the order of the keys' UTF-8 bytes, entering only what can hold the page. */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectInfo, ObjectPage } from '#lib/ports/index.ts'
import { decodeCursor, encodeCursor, OBJECT_PAGE_LIMIT } from '#lib/ports/index.ts'
import { errnoOf } from './failure.ts'
import { decodeName, encodeKey } from './file-name.ts'
import type { RootFolder } from './folder.ts'

interface Entry {
  /** The key up to here; a folder's ends in `/`. */
  readonly key: string
  readonly order: Buffer
  readonly path: string
  readonly isFolder: boolean
}

export async function listObjects(root: RootFolder, prefix: string, cursor: string | undefined): Promise<ObjectPage> {
  const after =
    cursor === undefined ? undefined : Buffer.from(decodeCursor(['objects', prefix], cursor, 1)[0] as string)
  const base = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  const start = base === '' ? root.path : join(root.path, encodeKey(base.slice(0, -1), root.style))
  const objects: ObjectInfo[] = []
  for await (const object of walk(start, base, prefix, after)) {
    if (objects.length === OBJECT_PAGE_LIMIT) {
      return { objects, cursor: encodeCursor(['objects', prefix], [objects.at(-1)?.key as string]) }
    }
    objects.push(object)
  }
  return { objects }
}

async function* walk(
  path: string,
  base: string,
  prefix: string,
  after: Buffer | undefined,
): AsyncGenerator<ObjectInfo, void> {
  const entries = (await readEntries(path, base)).sort((left, right) => Buffer.compare(left.order, right.order))
  for (const entry of entries) {
    if (!(entry.key.startsWith(prefix) || (entry.isFolder && prefix.startsWith(entry.key)))) continue
    if (after && isBefore(entry, after)) continue
    if (entry.isFolder) yield* walk(entry.path, entry.key, prefix, after)
    else {
      const found = await lstat(entry.path).catch(() => undefined)
      if (found?.isFile()) yield { key: entry.key, sizeBytes: found.size, modifiedAtMs: Math.floor(found.mtimeMs) }
    }
  }
}

/** True when everything under the entry was on an earlier page. */
function isBefore(entry: Entry, after: Buffer): boolean {
  const isAbove = entry.isFolder && after.subarray(0, entry.order.length).equals(entry.order)
  return !isAbove && Buffer.compare(entry.order, after) <= 0
}

/** Symbolic links and names that are no key's are passed over; the inside of a continued name belongs to this level. */
async function readEntries(path: string, base: string): Promise<Entry[]> {
  const entries: Entry[] = []
  for (const child of await readFolder(path)) {
    const name = decodeName(child.name)
    if (name === undefined || !(child.isFile() || child.isDirectory())) continue
    const childPath = join(path, child.name)
    if (name.isContinued) {
      entries.push(...(await readEntries(childPath, base + name.text)))
    } else {
      const key = base + name.text + (child.isDirectory() ? '/' : '')
      entries.push({ key, order: Buffer.from(key), path: childPath, isFolder: child.isDirectory() })
    }
  }
  return entries
}

async function readFolder(path: string) {
  try {
    return await readdir(path, { withFileTypes: true })
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return []
    throw error
  }
}
