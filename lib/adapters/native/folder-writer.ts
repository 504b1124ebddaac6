/** Fills one folder, file by file, with the owner that a server there would have. */
import { constants } from 'node:fs'
import { chmod, chown, type FileHandle, mkdir, open, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BackstopError } from '#lib/kernel/index.ts'
import type { FolderWriter } from '#lib/ports/index.ts'
import { asFileError, errnoOf } from './file-failure.ts'

/** PostgreSQL refuses a data folder that others can enter. */
const PRIVATE_MODE = 0o700

interface Owner {
  readonly uid: number
  readonly gid: number
}

export async function openFolderWriter(root: string, isThere: boolean): Promise<FolderWriter> {
  const first = isThere ? undefined : await mkdir(dirname(root), { recursive: true })
  const parents = first === undefined ? [] : between(dirname(root), first)
  const { uid, gid } = await stat(isThere ? root : dirname(first ?? root))
  const owner = process.getuid?.() === 0 && uid !== 0 ? { uid, gid } : undefined
  for (const parent of owner === undefined ? [] : parents) await chown(parent, uid, gid)
  if (!isThere) await mkdir(root, { mode: PRIVATE_MODE })
  const writer = new DiskFolderWriter(root, isThere ? undefined : parents, owner)
  await writer.own(root, PRIVATE_MODE)
  return writer
}

/** From the lower one up to the upper one. */
function between(lower: string, upper: string): string[] {
  return lower === upper ? [lower] : [lower, ...between(dirname(lower), upper)]
}

class DiskFolderWriter implements FolderWriter {
  readonly #root: string
  /** Folders above it that were made for it, the lowest first; absent: the folder itself was there before. */
  readonly #madeParents: readonly string[] | undefined
  readonly #owner: Owner | undefined
  /** For the flush at the end. */
  readonly #folders = new Set<string>()
  #isOver = false

  constructor(root: string, madeParents: readonly string[] | undefined, owner: Owner | undefined) {
    this.#root = root
    this.#madeParents = madeParents
    this.#owner = owner
    this.#folders.add(root)
  }

  async own(path: string, mode: number): Promise<void> {
    await chmod(path, mode)
    if (this.#owner !== undefined) await chown(path, this.#owner.uid, this.#owner.gid)
  }

  async addFolder(path: string, mode: number): Promise<void> {
    const full = this.#locate(path)
    await this.#try(full, async () => {
      await mkdir(full, { recursive: true })
      await this.own(full, mode)
      this.#folders.add(full)
    })
  }

  async addFile(path: string, mode: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    const full = this.#locate(path)
    await this.#try(full, async () => {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW
      const file = await open(full, flags, 0o600)
      try {
        for await (const chunk of content) await writeAll(file, chunk)
        await file.sync()
      } finally {
        await file.close()
      }
      await this.own(full, mode)
    })
  }

  async readText(path: string): Promise<string | undefined> {
    const full = this.#locate(path)
    return await this.#try(full, async () => {
      try {
        return await readFile(full, 'utf8')
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return undefined
        throw error
      }
    })
  }

  async remove(path: string): Promise<void> {
    const full = this.#locate(path)
    await this.#try(full, () => rm(full, { force: true }))
  }

  async finish(): Promise<void> {
    await this.#try(this.#root, async () => {
      const parents = this.#madeParents ?? []
      const above = dirname(parents.at(-1) ?? this.#root)
      for (const path of [...this.#folders, ...parents, above]) await syncFolder(path)
    })
  }

  async abort(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    await this.#try(this.#root, async () => {
      if (this.#madeParents === undefined) {
        for (const name of await readdir(this.#root)) await rm(join(this.#root, name), { recursive: true, force: true })
        return
      }
      await rm(this.#root, { recursive: true, force: true })
      // One that somebody else uses meanwhile is not empty, and stays.
      for (const parent of this.#madeParents) await rmdir(parent).catch(() => undefined)
    })
  }

  #locate(path: string): string {
    const segments = path.split('/')
    const isPlain = segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..')
    if (isPlain && !path.includes('\0')) return join(this.#root, ...segments)
    throw new BackstopError('TARGET_FOLDER_REFUSED', 'a path would lead out of the folder')
  }

  async #try<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw asFileError(error, path)
    }
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written)
    written += bytesWritten
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
