/** One whole object in one request, and what every written object carries. */
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import type { PutOptions } from '#lib/ports/index.ts'
// The file itself: the folder's public face would load the clients of every service.
import { classifyAwsError, isOutcomeUnknown } from '../aws/failure.ts'
import { timeoutFor } from './client.ts'
import { asStorageError, attemptsOf, objectExists } from './failure.ts'
import { type Bucket, fullKeyOf } from './model.ts'

/** Tells one write from another of the same content: whose answer was lost finds itself by it. */
const MARK = 'backstop-write'
const DAY_MS = 86_400_000
const CONFLICT_ATTEMPTS = 6
const CONFLICT_PAUSE_MS = 50

export function newMark(bucket: Bucket): string {
  return Buffer.from(bucket.random.bytes(16)).toString('hex')
}

export function sha256Base64(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('base64')
}

/** Mark, encryption and lock: given when an object, or an upload of one, begins. */
export function writeHeaders(bucket: Bucket, mark: string) {
  const { kmsKeyId, lock } = bucket
  return {
    Metadata: { [MARK]: mark },
    ...(kmsKeyId !== undefined && {
      ServerSideEncryption: 'aws:kms' as const,
      SSEKMSKeyId: kmsKeyId,
      BucketKeyEnabled: true,
    }),
    ...(lock !== undefined && {
      ObjectLockMode: lock.mode,
      ObjectLockRetainUntilDate: new Date(bucket.clock.nowMs() + lock.retainDays * DAY_MS),
    }),
  }
}

export const condition = (options: PutOptions) => (options.ifAbsent ? { IfNoneMatch: '*' } : {})

/** S3 verifies the checksum before it keeps anything. Throws OBJECT_EXISTS, STORAGE_UNREACHABLE. */
export async function putContent(bucket: Bucket, key: string, content: Uint8Array, options: PutOptions): Promise<void> {
  const mark = newMark(bucket)
  const command = new PutObjectCommand({
    ...bucket.address,
    ...writeHeaders(bucket, mark),
    ...condition(options),
    Key: fullKeyOf(bucket, key),
    Body: content,
    ContentLength: content.length,
    ContentType: 'application/octet-stream',
    ChecksumSHA256: sha256Base64(content),
  })
  await settleWrite(bucket, key, mark, 'PutObject', () =>
    bucket.client.send(command, timeoutFor(bucket, content.length)),
  )
}

/**
 * Send what makes an object appear, and find out what became of it.
 *
 * Conflicts: a 409 says that another conditional write of the key is under way: sent again until one of them is over
 * Lost answers: after a repeated attempt, or none that was answered, the object's own mark tells whether this write did it
 */
export async function settleWrite(
  bucket: Bucket,
  key: string,
  mark: string,
  operation: 'PutObject' | 'CompleteMultipartUpload',
  send: () => Promise<unknown>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await send()
      return
    } catch (error) {
      const { kind } = classifyAwsError(error)
      if (kind === 'busy' && attempt < CONFLICT_ATTEMPTS) {
        await pause(Math.random() * CONFLICT_PAUSE_MS * attempt)
        continue
      }
      const isRepeated = attempt > 1 || attemptsOf(error) > 1
      if ((isRepeated || isOutcomeUnknown(error)) && (await hasMark(bucket, key, mark, error))) return
      throw kind === 'conditional' ? objectExists(key) : asStorageError(error, operation, bucket)
    }
  }
}

/** Whether the object that stands under the key is that of this write. Where nobody can say, the write's own error stands. */
async function hasMark(bucket: Bucket, key: string, mark: string, writeError: unknown): Promise<boolean> {
  try {
    const head = await bucket.client.send(new HeadObjectCommand({ ...bucket.address, Key: fullKeyOf(bucket, key) }))
    return head.Metadata?.[MARK] === mark
  } catch (error) {
    if (classifyAwsError(error).kind === 'missing') return false
    // "It exists" would be a guess: it may be this write's own.
    if (classifyAwsError(writeError).kind === 'conditional') throw asStorageError(error, 'HeadObject', bucket)
    return false
  }
}
