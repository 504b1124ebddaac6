/** The root folder: where keys lie in it, folders that survive a crash, and the hidden folder for what is being written. */
import { constants } from 'node:fs'
import { lstat, mkdir, open, readdir, readFile, realpath, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { errnoOf, keyRefused } from './failure.ts'
import type { NameStyle } from './file-name.ts'
import { encodeKey } from './file-name.ts'

const TEMPORARY_FOLDER = '.tmp'
const LAYOUT_FILE = '.layout'

export interface RootFolder {
  /** Absolute, without symbolic links. */
  readonly path: string
  readonly temporaryPath: string
  readonly style: NameStyle
}

export async function openRootFolder(path: string): Promise<RootFolder> {
  await makeFolder(resolve(path))
  const root = await realpath(path)
  const temporaryPath = join(root, TEMPORARY_FOLDER)
  await mkdir(temporaryPath, { recursive: true, mode: 0o700 })
  return { path: root, temporaryPath, style: await readStyle(root) }
}

/** The style is decided once per root, so that a folder copied elsewhere keeps its names. */
async function readStyle(root: string): Promise<NameStyle> {
  const layoutPath = join(root, LAYOUT_FILE)
  const written = await readFile(layoutPath, 'utf8').catch(() => undefined)
  if (written !== undefined) return written.trim() === 'folded' ? 'folded' : 'exact'
  const style = (await isCaseInsensitive(root)) ? 'folded' : 'exact'
  await writeFile(layoutPath, `${style}\n`, { mode: 0o600 })
  return style
}

async function isCaseInsensitive(root: string): Promise<boolean> {
  return await lstat(join(root, TEMPORARY_FOLDER.toUpperCase())).then(
    () => true,
    () => false,
  )
}

/** The file of a key, whose folder was seen to lie where its name says. Throws OBJECT_KEY_INVALID behind a symbolic link. */
export async function locate(root: RootFolder, key: string): Promise<string> {
  const path = join(root.path, encodeKey(key, root.style))
  for (let folder = dirname(path); folder !== root.path; folder = dirname(folder)) {
    const found = await findRealPath(folder)
    if (found === folder) break
    if (found !== undefined) throw keyRefused(key, 'a symbolic link lies on the way')
  }
  return path
}

async function findRealPath(path: string): Promise<string | undefined> {
  try {
    return await realpath(path)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined
    throw error
  }
}

/** Make a folder and everything above it, so that the entries are on disk. */
export async function makeFolder(path: string): Promise<void> {
  const firstMade = await mkdir(path, { recursive: true, mode: 0o700 })
  if (firstMade === undefined) return
  const parent = dirname(firstMade)
  await syncFolder(parent)
  let folder = parent
  for (const name of relative(parent, path).split(sep)) {
    folder = join(folder, name)
    await syncFolder(folder)
  }
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Remove folders that have become empty, from here upwards; whoever writes there at the same time makes them anew. */
export async function removeEmptyFolders(root: RootFolder, from: string): Promise<void> {
  for (let folder = from; folder !== root.path && folder.startsWith(root.path); folder = dirname(folder)) {
    try {
      await rmdir(folder)
    } catch {
      return
    }
  }
}

/** Remove what killed writers have left behind, once it was not touched for `olderThanMs`; returns how many. */
export async function sweepTemporary(root: RootFolder, nowMs: number, olderThanMs: number): Promise<number> {
  let count = 0
  for (const name of await readdir(root.temporaryPath)) {
    const path = join(root.temporaryPath, name)
    const found = await lstat(path).catch(() => undefined)
    if (found === undefined || nowMs - found.mtimeMs < olderThanMs) continue
    await rm(path, { force: true, recursive: true })
    count++
  }
  return count
}
