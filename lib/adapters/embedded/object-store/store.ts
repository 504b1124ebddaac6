/** The object store on a folder: one file an object, under its key's own name wherever the file system allows it. */
import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { lstat, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BackstopError } from '#lib/kernel/index.ts'
import type {
  ByteRange,
  Clock,
  ObjectInfo,
  ObjectPage,
  ObjectStore,
  ObjectUpload,
  PutOptions,
  Random,
  WrittenObject,
} from '#lib/ports/index.ts'
import { assertByteRange, assertObjectKey, assertObjectPrefix } from '#lib/ports/index.ts'
import { asReadError, asStorageError, errnoOf, objectMissing } from './failure.ts'
import type { RootFolder } from './folder.ts'
import { locate, openRootFolder, removeEmptyFolders, sweepTemporary, syncFolder } from './folder.ts'
import { listObjects } from './listing.ts'
import { openFileUpload } from './upload.ts'

export interface FolderObjectStoreOptions {
  /** Made where it is missing. */
  readonly root: string
  readonly clock: Clock
  readonly random: Random
  /** Leftovers of killed writers are removed at the start once they are this old; 24 hours when absent. */
  readonly leftoverAfterMs?: number
}

const DAY_MS = 86_400_000
const CHUNK_BYTES = 262_144
/** An object that is wanted as one buffer is read into one, as far as a single read goes. */
const MAX_READ_BYTES = 1 << 30

/**
 * Open the folder and sweep leftovers.
 *
 * Invariants: one key of a store never is the folder of another; the second is refused with OBJECT_KEY_INVALID
 * Throws:     STORAGE_UNREACHABLE
 */
export async function openFolderObjectStore(options: FolderObjectStoreOptions): Promise<ObjectStore> {
  try {
    const root = await openRootFolder(options.root)
    await sweepTemporary(root, options.clock.nowMs(), options.leftoverAfterMs ?? DAY_MS)
    return new FolderStore(root, options.random)
  } catch (error) {
    throw asStorageError(error)
  }
}

class FolderStore implements ObjectStore {
  readonly #root: RootFolder
  readonly #random: Random

  constructor(root: RootFolder, random: Random) {
    this.#root = root
    this.#random = random
  }

  async put(key: string, content: Uint8Array, options: PutOptions = {}): Promise<WrittenObject> {
    const upload = await this.openUpload(key, options)
    await upload.write(content)
    return await upload.commit()
  }

  async openUpload(key: string, options: PutOptions = {}): Promise<ObjectUpload> {
    assertObjectKey(key)
    try {
      return await openFileUpload(this.#root, key, options, this.#random)
    } catch (error) {
      throw asStorageError(error)
    }
  }

  async read(key: string, range?: ByteRange): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    for await (const chunk of this.#readChunks(key, range, MAX_READ_BYTES)) chunks.push(chunk)
    return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)
  }

  readStream(key: string, range?: ByteRange): AsyncGenerator<Uint8Array, void> {
    return this.#readChunks(key, range, CHUNK_BYTES)
  }

  async *#readChunks(key: string, range: ByteRange | undefined, chunkBytes: number): AsyncGenerator<Uint8Array, void> {
    const file = await this.#openForRead(key)
    try {
      const { size } = await file.stat()
      if (range) assertByteRange(range, size)
      yield* readRange(file, range ?? { startByte: 0, lengthBytes: size }, chunkBytes)
    } catch (error) {
      throw asReadError(error, key)
    } finally {
      await file.close()
    }
  }

  async find(key: string): Promise<ObjectInfo | undefined> {
    assertObjectKey(key)
    try {
      const found = await lstat(await locate(this.#root, key))
      if (!found.isFile()) return undefined
      return { key, sizeBytes: found.size, modifiedAtMs: Math.floor(found.mtimeMs) }
    } catch (error) {
      const failure = asReadError(error, key)
      if (failure.code === 'OBJECT_MISSING') return undefined
      throw failure
    }
  }

  async list(prefix: string, cursor?: string): Promise<ObjectPage> {
    assertObjectPrefix(prefix)
    try {
      return await listObjects(this.#root, prefix, cursor)
    } catch (error) {
      throw asStorageError(error)
    }
  }

  async delete(key: string): Promise<void> {
    assertObjectKey(key)
    try {
      const path = await locate(this.#root, key)
      const found = await lstat(path)
      if (!found.isFile()) return
      await rm(path, { force: true })
      await syncFolder(dirname(path))
      await removeEmptyFolders(this.#root, dirname(path))
    } catch (error) {
      const errno = errnoOf(error)
      if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw asStorageError(error)
    }
  }

  async #openForRead(key: string): Promise<FileHandle> {
    assertObjectKey(key)
    try {
      const path = await locate(this.#root, key)
      if (!(await lstat(path)).isFile()) throw objectMissing(key)
      return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    } catch (error) {
      throw asReadError(error, key)
    }
  }
}

async function* readRange(file: FileHandle, range: ByteRange, chunkBytes: number): AsyncGenerator<Uint8Array, void> {
  const end = range.startByte + range.lengthBytes
  for (let position = range.startByte; position < end; ) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, end - position))
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position)
    if (bytesRead === 0) throw new BackstopError('STORAGE_UNREACHABLE', 'the object became shorter while it was read')
    position += bytesRead
    yield chunk.subarray(0, bytesRead)
  }
}
