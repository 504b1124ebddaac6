/** An object that is being written: a hidden file that takes its name in one step when it is complete. */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { link, lstat, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectUpload, PutOptions, Random, WrittenObject } from '#lib/ports/index.ts'
import { asStorageError, errnoOf, keyRefused, objectExists } from './failure.ts'
import type { RootFolder } from './folder.ts'
import { locate, makeFolder, syncFolder } from './folder.ts'

/** A folder may be removed as empty between being made and being used. */
const PUBLISH_ATTEMPTS = 8

export async function openFileUpload(
  root: RootFolder,
  key: string,
  options: PutOptions,
  random: Random,
): Promise<ObjectUpload> {
  await locate(root, key)
  const temporaryPath = join(root.temporaryPath, Buffer.from(random.bytes(16)).toString('hex'))
  const file = await open(temporaryPath, 'wx', 0o600)
  return new FileUpload(root, key, options, temporaryPath, file)
}

class FileUpload implements ObjectUpload {
  readonly #root: RootFolder
  readonly #key: string
  readonly #options: PutOptions
  readonly #temporaryPath: string
  readonly #file: FileHandle
  readonly #hash = createHash('sha256')
  #sizeBytes = 0
  #state: 'open' | 'committed' | 'aborted' = 'open'

  constructor(root: RootFolder, key: string, options: PutOptions, temporaryPath: string, file: FileHandle) {
    this.#root = root
    this.#key = key
    this.#options = options
    this.#temporaryPath = temporaryPath
    this.#file = file
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertOpen()
    try {
      this.#hash.update(chunk)
      for (let written = 0; written < chunk.length; ) {
        const { bytesWritten } = await this.#file.write(chunk, written, chunk.length - written)
        written += bytesWritten
      }
      this.#sizeBytes += chunk.length
    } catch (error) {
      await this.abort()
      throw asStorageError(error)
    }
  }

  async commit(): Promise<WrittenObject> {
    this.#assertOpen()
    try {
      await this.#file.sync()
      await this.#file.close()
      await this.#publish()
      this.#state = 'committed'
    } catch (error) {
      await this.abort()
      throw asStorageError(error)
    }
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest('hex') as Sha256Hex }
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'aborted'
    await this.#file.close().catch(() => undefined)
    await rm(this.#temporaryPath, { force: true }).catch(() => undefined)
  }

  #assertOpen(): void {
    if (this.#state !== 'open') throw new BackstopError('BUG', `the upload was ${this.#state} before`)
  }

  async #publish(): Promise<void> {
    const path = await locate(this.#root, this.#key)
    for (let attempt = 1; ; attempt++) {
      try {
        await makeFolder(dirname(path))
        await this.#takeName(path)
        return await syncFolder(dirname(path))
      } catch (error) {
        if (errnoOf(error) === 'ENOENT' && attempt < PUBLISH_ATTEMPTS) continue
        throw await this.#explain(error, path)
      }
    }
  }

  /** A link fails where the name is taken, so that of two processes one wins. */
  async #takeName(path: string): Promise<void> {
    if (!this.#options.ifAbsent) return await rename(this.#temporaryPath, path)
    await link(this.#temporaryPath, path)
    await rm(this.#temporaryPath, { force: true })
  }

  async #explain(error: unknown, path: string): Promise<Error> {
    const errno = errnoOf(error) ?? ''
    const isFolder = await lstat(path).then(
      (found) => found.isDirectory(),
      () => false,
    )
    if (isFolder) return keyRefused(this.#key, 'other keys lie below it')
    if (errno === 'EEXIST' && this.#options.ifAbsent && (await isFile(path))) return objectExists(this.#key)
    if (errno === 'ENOTDIR' || errno === 'EEXIST') return keyRefused(this.#key, 'a shorter key lies on the way')
    return asStorageError(error)
  }
}

async function isFile(path: string): Promise<boolean> {
  return await lstat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}
