/** Whether the bucket can be used, asked before anything depends on it. */
import { AbortMultipartUploadCommand, CreateMultipartUploadCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { asStorageError, type S3Operation } from './failure.ts'
import { type Bucket, fullKeyOf } from './model.ts'
import { newMark, writeHeaders } from './write.ts'

const PROBE_KEY = 'backstop-probe'

/** Throws STORAGE_UNREACHABLE with what is wrong: no such bucket, refused credentials, a missing permission. */
export async function assertReadable(bucket: Bucket): Promise<void> {
  await attempt(bucket, 'ListObjectsV2', () =>
    bucket.client.send(new ListObjectsV2Command({ ...bucket.address, Prefix: bucket.prefix, MaxKeys: 1 })),
  )
}

/** An upload that is begun and given up needs the permissions of a real one, key and lock included, and leaves nothing. */
export async function assertWritable(bucket: Bucket): Promise<void> {
  const target = { ...bucket.address, Key: fullKeyOf(bucket, PROBE_KEY) }
  const { UploadId } = await attempt(bucket, 'CreateMultipartUpload', () =>
    bucket.client.send(
      new CreateMultipartUploadCommand({
        ...target,
        ...writeHeaders(bucket, newMark(bucket)),
        ChecksumAlgorithm: 'SHA256',
      }),
    ),
  )
  await attempt(bucket, 'AbortMultipartUpload', () =>
    bucket.client.send(new AbortMultipartUploadCommand({ ...target, UploadId })),
  )
}

async function attempt<T>(bucket: Bucket, operation: S3Operation, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw asStorageError(error, operation, bucket)
  }
}
