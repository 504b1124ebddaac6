/** An object that is being written: small ones become one request, larger ones parts that grow. */
import { createHash } from 'node:crypto'
import type { Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectUpload, PutOptions, WrittenObject } from '#lib/ports/index.ts'
import type { Bucket } from './model.ts'
import { type Multipart, openMultipart } from './multipart.ts'
import { PartBuffer } from './part-buffer.ts'
import { nextPartBytes } from './part-size.ts'
import { putContent } from './write.ts'

/** Nothing is sent before the first part is full. */
export function openS3Upload(bucket: Bucket, key: string, options: PutOptions): ObjectUpload {
  return new S3Upload(bucket, key, options)
}

class S3Upload implements ObjectUpload {
  readonly #bucket: Bucket
  readonly #key: string
  readonly #options: PutOptions
  readonly #hash = createHash('sha256')
  #buffer = new PartBuffer(nextPartBytes(0))
  #multipart: Multipart | undefined
  #sentBytes = 0
  #sizeBytes = 0
  #state: 'open' | 'committed' | 'aborted' = 'open'

  constructor(bucket: Bucket, key: string, options: PutOptions) {
    this.#bucket = bucket
    this.#key = key
    this.#options = options
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#assertOpen()
    try {
      this.#hash.update(chunk)
      this.#sizeBytes += chunk.length
      for (let rest = chunk; rest.length > 0; ) {
        if (this.#buffer.isFull) await this.#sendBuffer()
        rest = rest.subarray(this.#buffer.take(rest))
      }
    } catch (error) {
      await this.abort()
      throw error
    }
  }

  async commit(): Promise<WrittenObject> {
    this.#assertOpen()
    try {
      if (this.#multipart === undefined) {
        await putContent(this.#bucket, this.#key, this.#buffer.content(), this.#options)
      } else {
        await this.#multipart.add(this.#buffer.content())
        await this.#multipart.complete(this.#options)
      }
      this.#state = 'committed'
    } catch (error) {
      await this.abort()
      throw error
    }
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest('hex') as Sha256Hex }
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'aborted'
    await this.#multipart?.abort()
  }

  #assertOpen(): void {
    if (this.#state !== 'open') throw new BackstopError('BUG', `the upload was ${this.#state} before`)
  }

  /** A full buffer waits until more comes, so that the last part is never empty. */
  async #sendBuffer(): Promise<void> {
    this.#multipart ??= await openMultipart(this.#bucket, this.#key)
    const content = this.#buffer.content()
    await this.#multipart.add(content)
    this.#sentBytes += content.length
    this.#buffer = new PartBuffer(nextPartBytes(this.#sentBytes), content.length)
  }
}
