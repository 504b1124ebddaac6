/** The object store on S3, Amazon's or another that speaks its protocol. */
import { createHash } from 'node:crypto'
import { DeleteObjectCommand } from '@aws-sdk/client-s3'
import type { Sha256Hex } from '#lib/kernel/index.ts'
import type {
  ByteRange,
  ObjectInfo,
  ObjectPage,
  ObjectStore,
  ObjectUpload,
  PutOptions,
  WrittenObject,
} from '#lib/ports/index.ts'
import { assertObjectKey, assertObjectPrefix } from '#lib/ports/index.ts'
import { assertReadable, assertWritable } from './access.ts'
import { openBucket } from './client.ts'
import { type BucketTraits, describeBucket } from './describe.ts'
import { asStorageError } from './failure.ts'
import { findObject } from './find.ts'
import { listObjects } from './listing.ts'
import { type Bucket, fullKeyOf, type S3ObjectStoreOptions } from './model.ts'
import { openObject } from './read.ts'
import { openS3Upload } from './upload.ts'
import { putContent } from './write.ts'

/** Content that is larger goes up in parts, so that a failure repeats a part and not the whole. */
const LARGEST_SINGLE_PUT_BYTES = 33_554_432

export interface S3ObjectStore extends ObjectStore {
  /** Whether the bucket can be read, and for `write` also written to. Throws STORAGE_UNREACHABLE naming what is missing. */
  assertAccess(need: 'read' | 'write'): Promise<void>
  /** What the bucket does with old versions, as far as these credentials may ask. */
  describe(): Promise<BucketTraits>
}

/**
 * Open the store; nothing is sent before it is used.
 *
 * Keys:    up to 1,024 bytes with the prefix
 * Needs:   an endpoint that honours `If-None-Match: *` on PutObject and CompleteMultipartUpload and verifies SHA-256
 * Memory:  an upload holds up to 32 MiB in flight and one part; see part-size.ts
 * Throws:  STORAGE_URL_INVALID, OBJECT_KEY_INVALID, CONFIG_INVALID for malformed options
 */
export function openS3ObjectStore(options: S3ObjectStoreOptions): S3ObjectStore {
  return new S3Store(openBucket(options))
}

class S3Store implements S3ObjectStore {
  readonly #bucket: Bucket

  constructor(bucket: Bucket) {
    this.#bucket = bucket
  }

  async assertAccess(need: 'read' | 'write'): Promise<void> {
    await assertReadable(this.#bucket)
    if (need === 'write') await assertWritable(this.#bucket)
  }

  async describe(): Promise<BucketTraits> {
    return await describeBucket(this.#bucket)
  }

  async put(key: string, content: Uint8Array, options: PutOptions = {}): Promise<WrittenObject> {
    if (content.length > LARGEST_SINGLE_PUT_BYTES) {
      const upload = await this.openUpload(key, options)
      await upload.write(content)
      return await upload.commit()
    }
    assertObjectKey(key)
    await putContent(this.#bucket, key, content, options)
    const sha256 = createHash('sha256').update(content).digest('hex') as Sha256Hex
    return { sizeBytes: content.length, sha256 }
  }

  async openUpload(key: string, options: PutOptions = {}): Promise<ObjectUpload> {
    assertObjectKey(key)
    fullKeyOf(this.#bucket, key)
    return openS3Upload(this.#bucket, key, options)
  }

  async read(key: string, range?: ByteRange): Promise<Uint8Array> {
    assertObjectKey(key)
    const { sizeBytes, chunks } = await openObject(this.#bucket, key, range)
    if (sizeBytes === undefined) return await collect(chunks)
    const content = Buffer.allocUnsafe(sizeBytes)
    let position = 0
    for await (const chunk of chunks) {
      content.set(chunk, position)
      position += chunk.length
    }
    return content
  }

  async *readStream(key: string, range?: ByteRange): AsyncGenerator<Uint8Array, void> {
    assertObjectKey(key)
    const { chunks } = await openObject(this.#bucket, key, range)
    yield* chunks
  }

  async find(key: string): Promise<ObjectInfo | undefined> {
    assertObjectKey(key)
    return await findObject(this.#bucket, key)
  }

  async list(prefix: string, cursor?: string): Promise<ObjectPage> {
    assertObjectPrefix(prefix)
    return await listObjects(this.#bucket, prefix, cursor)
  }

  async delete(key: string): Promise<void> {
    assertObjectKey(key)
    try {
      const target = { ...this.#bucket.address, Key: fullKeyOf(this.#bucket, key) }
      await this.#bucket.client.send(new DeleteObjectCommand(target))
    } catch (error) {
      throw asStorageError(error, 'DeleteObject', this.#bucket)
    }
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const collected: Uint8Array[] = []
  for await (const chunk of chunks) collected.push(chunk)
  return Buffer.concat(collected)
}
