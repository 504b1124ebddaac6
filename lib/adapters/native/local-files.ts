/** Files of a PostgreSQL server on this machine. */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { BackstopError } from '#lib/kernel/index.ts'
import type { FolderFacts, FolderWriter, LocalFiles, SpooledFile } from '#lib/ports/index.ts'
import { asFileError, errnoOf } from './file-failure.ts'
import { openFolderWriter } from './folder-writer.ts'

export const localFiles: LocalFiles = { read, replace, spool, look, openFolder }

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
