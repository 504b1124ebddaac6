/** An object's bytes, taken up again where a connection broke, and never of two objects mixed. */
import { setTimeout as pause } from 'node:timers/promises'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ByteRange } from '#lib/ports/index.ts'
import { assertByteRange } from '#lib/ports/index.ts'
// The file itself: the folder's public face would load the clients of every service.
import { classifyAwsError } from '../aws/failure.ts'
import { asStorageError, nameOf, objectChanged, objectMissing } from './failure.ts'
import { findObject } from './find.ts'
import { type Bucket, fullKeyOf } from './model.ts'

/** Breaks in a row without one byte between them. */
const MAX_BREAKS = 5
const BREAK_PAUSE_MS = 100

interface Source {
  readonly body: AsyncIterable<Uint8Array> & { destroy(): unknown }
  readonly etag: string | undefined
  readonly startByte: number
  /** Absent: S3 did not say; the end of the body is that of the object. */
  readonly endByte: number | undefined
}

export interface OpenedObject {
  /** Absent: not known before it was read. */
  readonly sizeBytes: number | undefined
  readonly chunks: AsyncGenerator<Uint8Array, void>
}

/** The request is answered when this resolves. Throws OBJECT_MISSING, OBJECT_RANGE_INVALID, STORAGE_UNREACHABLE. */
export async function openObject(bucket: Bucket, key: string, range: ByteRange | undefined): Promise<OpenedObject> {
  if (range !== undefined && !isPlausible(range)) throw await rangeError(bucket, key, range)
  const source = await openSource(bucket, key, range && extentOf(range))
  const { startByte, endByte } = source
  return {
    sizeBytes: endByte === undefined ? undefined : endByte - startByte,
    chunks: readOn(bucket, key, source),
  }
}

async function* readOn(bucket: Bucket, key: string, first: Source): AsyncGenerator<Uint8Array, void> {
  let source = first
  let position = source.startByte
  try {
    for (let breaks = 0; ; breaks++) {
      const failure = yield* passOn(source, (count) => {
        position += count
        breaks = 0
      })
      const { endByte } = source
      if (position === endByte || (endByte === undefined && failure === undefined)) return
      if (breaks === MAX_BREAKS || position > (endByte ?? position)) throw brokenOff(bucket, key, failure)
      await pause(Math.random() * BREAK_PAUSE_MS * 2 ** breaks)
      source = await openSource(bucket, key, { startByte: position, endByte }, first.etag)
    }
  } finally {
    source.body.destroy()
  }
}

/** The bytes that are asked for. */
interface Extent {
  readonly startByte: number
  /** Absent: all that come. */
  readonly endByte: number | undefined
}

const extentOf = ({ startByte, lengthBytes }: ByteRange): Extent => ({ startByte, endByte: startByte + lengthBytes })

/** Yields what comes; returns what ended it early. */
async function* passOn(source: Source, onBytes: (count: number) => void): AsyncGenerator<Uint8Array, unknown> {
  try {
    for await (const chunk of source.body) {
      onBytes(chunk.length)
      yield chunk
    }
    return undefined
  } catch (error) {
    return error
  }
}

function brokenOff(bucket: Bucket, key: string, failure: unknown): BackstopError {
  const reason = failure === undefined ? 'truncated' : classifyAwsError(failure).name
  return new BackstopError('STORAGE_UNREACHABLE', `the object ${key} could not be read to its end (${reason})`, {
    details: { key, reason, bucket: bucket.name, operation: 'GetObject' },
  })
}

async function openSource(bucket: Bucket, key: string, extent: Extent | undefined, ifMatch?: string): Promise<Source> {
  try {
    const answer = await bucket.client.send(
      new GetObjectCommand({
        ...bucket.address,
        Key: fullKeyOf(bucket, key),
        ...(extent !== undefined && { Range: `bytes=${extent.startByte}-${lastByteOf(extent)}` }),
        ...(ifMatch !== undefined && { IfMatch: ifMatch }),
      }),
    )
    const body = answer.Body as unknown as Source['body']
    return { body, etag: answer.ETag, ...answeredExtent(answer, extent, body) }
  } catch (error) {
    throw await explain(bucket, key, extent, error, ifMatch !== undefined)
  }
}

const lastByteOf = ({ endByte }: Extent) => (endByte === undefined ? '' : endByte - 1)

/** S3 cuts a range off at the object's end; the port does not. */
function answeredExtent(
  answer: { readonly ContentLength?: number | undefined; readonly ContentRange?: string | undefined },
  extent: Extent | undefined,
  body: Source['body'],
): Extent {
  if (extent === undefined) return { startByte: 0, endByte: answer.ContentLength }
  try {
    const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.ContentRange ?? '') ?? malformedAnswer()
    const { startByte, endByte = Number(total) } = extent
    assertByteRange({ startByte, lengthBytes: endByte - startByte }, Number(total))
    if (Number(start) !== startByte) malformedAnswer()
    return { startByte, endByte }
  } catch (error) {
    body.destroy()
    throw error
  }
}

function malformedAnswer(): never {
  throw new BackstopError('STORAGE_UNREACHABLE', 'the storage did not say which bytes it sends')
}

async function explain(
  bucket: Bucket,
  key: string,
  extent: Extent | undefined,
  error: unknown,
  isResumed: boolean,
): Promise<BackstopError> {
  const name = nameOf(error)
  const { kind, httpStatus } = classifyAwsError(error)
  const isGone = name === 'NoSuchKey' || (kind === 'missing' && name !== 'NoSuchBucket')
  if (isResumed && (isGone || kind === 'conditional' || httpStatus === 416)) return objectChanged(key)
  if (isGone) return objectMissing(key)
  if (httpStatus === 416 && extent?.endByte !== undefined) {
    const { startByte, endByte } = extent
    return await rangeError(bucket, key, { startByte, lengthBytes: endByte - startByte })
  }
  return asStorageError(error, 'GetObject', bucket)
}

/** Whether HTTP can express it. */
function isPlausible({ startByte, lengthBytes }: ByteRange): boolean {
  const isWhole = Number.isSafeInteger(startByte) && Number.isSafeInteger(lengthBytes)
  return isWhole && startByte >= 0 && lengthBytes >= 1 && Number.isSafeInteger(startByte + lengthBytes)
}

/** Says how large the object is; or that it is missing. */
async function rangeError(bucket: Bucket, key: string, range: ByteRange): Promise<BackstopError> {
  try {
    const found = await findObject(bucket, key)
    if (found === undefined) return objectMissing(key)
    assertByteRange(range, found.sizeBytes)
    return objectChanged(key)
  } catch (error) {
    return asStorageError(error, 'GetObject', bucket)
  }
}
