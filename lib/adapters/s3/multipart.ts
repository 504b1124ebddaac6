/** One multipart upload: parts in flight within a budget of memory, then complete or gone. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { BackstopError } from '#lib/kernel/index.ts'
import type { PutOptions } from '#lib/ports/index.ts'
import { timeoutFor } from './client.ts'
import { asStorageError } from './failure.ts'
import { type Bucket, fullKeyOf } from './model.ts'
import { MAX_PARTS } from './part-size.ts'
import { condition, newMark, settleWrite, sha256Base64, writeHeaders } from './write.ts'

/** Parts that are being sent, together; a larger part goes alone. */
const IN_FLIGHT_BYTES = 33_554_432
const COMPLETE_TIMEOUT_BYTES = 16_777_216
const ABORT_ROUNDS = 3

interface SentPart {
  readonly PartNumber: number
  readonly ETag: string
  readonly ChecksumSHA256: string
}

export interface Multipart {
  /** Resolves once there is room for the next part. Throws what an earlier part failed with. */
  add(content: Uint8Array): Promise<void>
  /** Throws OBJECT_EXISTS, STORAGE_UNREACHABLE. */
  complete(options: PutOptions): Promise<void>
  /** Never throws: what cannot be removed now is left to the bucket's lifecycle rule for incomplete uploads. */
  abort(): Promise<void>
}

export async function openMultipart(bucket: Bucket, key: string): Promise<Multipart> {
  const mark = newMark(bucket)
  const target = { ...bucket.address, Key: fullKeyOf(bucket, key) }
  try {
    const { UploadId } = await bucket.client.send(
      new CreateMultipartUploadCommand({
        ...target,
        ...writeHeaders(bucket, mark),
        ContentType: 'application/octet-stream',
        ChecksumAlgorithm: 'SHA256',
      }),
    )
    if (UploadId === undefined)
      throw new BackstopError('STORAGE_UNREACHABLE', 'the storage began an upload without an id')
    return new S3Multipart(bucket, key, { ...target, UploadId }, mark)
  } catch (error) {
    throw asStorageError(error, 'CreateMultipartUpload', bucket)
  }
}

class S3Multipart implements Multipart {
  readonly #bucket: Bucket
  readonly #key: string
  readonly #target: { readonly Bucket: string; readonly Key: string; readonly UploadId: string }
  readonly #mark: string
  readonly #sent: SentPart[] = []
  readonly #inFlight = new Map<number, { readonly sizeBytes: number; readonly done: Promise<void> }>()
  #partCount = 0
  #failure: unknown

  constructor(bucket: Bucket, key: string, target: { Bucket: string; Key: string; UploadId: string }, mark: string) {
    this.#bucket = bucket
    this.#key = key
    this.#target = target
    this.#mark = mark
  }

  async add(content: Uint8Array): Promise<void> {
    const partNumber = ++this.#partCount
    if (partNumber > MAX_PARTS)
      throw new BackstopError('STORAGE_UNREACHABLE', 'the object is larger than an upload can be')
    while (this.#failure === undefined && this.#hasNoRoomFor(content.length)) await this.#oneDone()
    this.#throwFailure()
    const done = this.#send(partNumber, content).then(
      (part) => {
        this.#sent.push(part)
        this.#inFlight.delete(partNumber)
      },
      (error: unknown) => {
        this.#failure ??= error
        this.#inFlight.delete(partNumber)
      },
    )
    this.#inFlight.set(partNumber, { sizeBytes: content.length, done })
  }

  async complete(options: PutOptions): Promise<void> {
    await this.#allDone()
    this.#throwFailure()
    const command = new CompleteMultipartUploadCommand({
      ...this.#target,
      ...condition(options),
      MultipartUpload: { Parts: this.#sent.sort((left, right) => left.PartNumber - right.PartNumber) },
    })
    const timeout = timeoutFor(this.#bucket, COMPLETE_TIMEOUT_BYTES)
    await settleWrite(this.#bucket, this.#key, this.#mark, 'CompleteMultipartUpload', () =>
      this.#bucket.client.send(command, timeout),
    )
  }

  /** A part whose answer was lost may arrive after the first abort; asked again until the upload is not there. */
  async abort(): Promise<void> {
    await this.#allDone()
    for (let round = 1; round <= ABORT_ROUNDS; round++) {
      try {
        await this.#bucket.client.send(new AbortMultipartUploadCommand(this.#target))
        if (this.#failure === undefined) return
        await this.#bucket.client.send(new ListPartsCommand(this.#target))
      } catch {
        return
      }
    }
  }

  async #send(partNumber: number, content: Uint8Array): Promise<SentPart> {
    const checksum = sha256Base64(content)
    const command = new UploadPartCommand({
      ...this.#target,
      PartNumber: partNumber,
      Body: content,
      ContentLength: content.length,
      ChecksumSHA256: checksum,
    })
    const { ETag } = await this.#bucket.client.send(command, timeoutFor(this.#bucket, content.length))
    if (ETag === undefined) throw new BackstopError('STORAGE_UNREACHABLE', 'the storage took a part without naming it')
    return { PartNumber: partNumber, ETag, ChecksumSHA256: checksum }
  }

  #hasNoRoomFor(sizeBytes: number): boolean {
    if (this.#inFlight.size === 0) return false
    let sum = sizeBytes
    for (const part of this.#inFlight.values()) sum += part.sizeBytes
    return sum > IN_FLIGHT_BYTES
  }

  #oneDone(): Promise<void> {
    return Promise.race(Array.from(this.#inFlight.values(), ({ done }) => done))
  }

  async #allDone(): Promise<void> {
    await Promise.all(Array.from(this.#inFlight.values(), ({ done }) => done))
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw asStorageError(this.#failure, 'UploadPart', this.#bucket)
  }
}
