/** Files of a PostgreSQL server on this machine. */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { chown, mkdtemp, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { BackstopError } from '#lib/kernel/index.ts'
import type { FolderFacts, FolderWriter, LocalFiles, ScratchFolder, SpooledFile } from '#lib/ports/index.ts'
import { asFileError, errnoOf } from './file-failure.ts'
import { openFolderWriter } from './folder-writer.ts'

export const localFiles: LocalFiles = { read, readStream, replace, spool, makeScratch, freeBytes, look, openFolder }

/** The user that a server started by root runs as: PostgreSQL refuses to run as root. */
export const SERVER_USER_ID = 65_534
const SCRATCH = /^backstop-scratch-(\d+)-/
const STREAM_BYTES = 1 << 18
const LEFT_BEHIND_AFTER_MS = 86_400_000

async function read(path: string, maxBytes: number): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY).catch((error) => {
    throw asFileError(error, path)
  })
  try {
    const { size } = await file.stat()
    if (size > maxBytes) throw new BackstopError('LOCAL_FILE_FAILED', `${path} is larger than ${maxBytes} bytes`)
    return await file.readFile()
  } catch (error) {
    throw asFileError(error, path)
  } finally {
    await file.close()
  }
}

async function* readStream(path: string): AsyncGenerator<Uint8Array, void> {
  try {
    const file = await open(path, constants.O_RDONLY)
    for await (const chunk of file.createReadStream({ highWaterMark: STREAM_BYTES })) yield chunk as Uint8Array
  } catch (error) {
    throw asFileError(error, path)
  }
}

async function replace(path: string, content: Uint8Array): Promise<void> {
  const target = resolve(path)
  // In the same folder, so that taking the name is one step.
  const temporary = join(dirname(target), `${basename(target)}.backstop-${randomBytes(6).toString('hex')}`)
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, target)
    await syncFolder(dirname(target))
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw asFileError(error, target)
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

async function spool(parent: string, content: AsyncIterable<Uint8Array>): Promise<SpooledFile> {
  const folder = await mkdtemp(join(parent, 'backstop-spool-')).catch((error) => {
    throw asFileError(error, parent)
  })
  const remove = () => rm(folder, { recursive: true, force: true })
  const path = join(folder, 'content')
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      for await (const chunk of content) await file.appendFile(chunk)
    } finally {
      await file.close()
    }
    return { path, remove }
  } catch (error) {
    await remove()
    throw asFileError(error, path)
  }
}

async function makeScratch(forServer = false, parent = tmpdir()): Promise<ScratchFolder> {
  try {
    await removeLeftovers(parent)
    const path = await mkdtemp(join(parent, `backstop-scratch-${process.pid}-`))
    if (forServer && process.getuid?.() === 0) await chown(path, SERVER_USER_ID, SERVER_USER_ID)
    return { path, remove: () => rm(path, { recursive: true, force: true }) }
  } catch (error) {
    throw asFileError(error, parent)
  }
}

/** Of processes that are gone, and old enough that the number of the process cannot be one of another machine's. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = Number(SCRATCH.exec(name)?.[1])
    if (Number.isNaN(pid) || isRunning(pid)) continue
    const path = join(parent, name)
    const found = await stat(path).catch(() => undefined)
    if (found === undefined || Date.now() - found.mtimeMs < LEFT_BEHIND_AFTER_MS) continue
    await rm(path, { recursive: true, force: true }).catch(() => undefined)
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errnoOf(error) === 'EPERM'
  }
}

async function freeBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch (error) {
    throw asFileError(error, path)
  }
}

async function look(path: string): Promise<FolderFacts> {
  try {
    const names = await readdir(path)
    return { isEmpty: names.length === 0, isInUse: names.includes('postmaster.pid') }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { isEmpty: true, isInUse: false }
    throw asFileError(error, path)
  }
}

async function openFolder(path: string, isReplacing: boolean): Promise<FolderWriter> {
  const root = resolve(path)
  const { isEmpty, isInUse } = await look(root)
  if (isInUse)
    throw new BackstopError('TARGET_FOLDER_REFUSED', `a server may be running on ${root}: it holds postmaster.pid`)
  if (!isEmpty && !isReplacing) throw new BackstopError('TARGET_FOLDER_REFUSED', `${root} is not empty`)
  try {
    const isThere = await stat(root).then(
      () => true,
      () => false,
    )
    for (const name of isEmpty ? [] : await readdir(root)) await rm(join(root, name), { recursive: true, force: true })
    return await openFolderWriter(root, isThere)
  } catch (error) {
    throw asFileError(error, root)
  }
}
