/** What is known of one object. */
import { HeadBucketCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import type { ObjectInfo } from '#lib/ports/index.ts'
// The file itself: the folder's public face would load the clients of every service.
import { classifyAwsError } from '../aws/failure.ts'
import { asStorageError } from './failure.ts'
import { type Bucket, fullKeyOf } from './model.ts'

/** Throws STORAGE_UNREACHABLE, also when the bucket itself is not there. */
export async function findObject(bucket: Bucket, key: string): Promise<ObjectInfo | undefined> {
  try {
    const head = await bucket.client.send(new HeadObjectCommand({ ...bucket.address, Key: fullKeyOf(bucket, key) }))
    return { key, sizeBytes: head.ContentLength ?? 0, modifiedAtMs: head.LastModified?.getTime() ?? 0 }
  } catch (error) {
    if (classifyAwsError(error).kind !== 'missing') throw asStorageError(error, 'HeadObject', bucket)
    await assertBucketExists(bucket)
    return undefined
  }
}

/** An answer to HEAD has no body: a missing object and a missing bucket look the same. */
async function assertBucketExists(bucket: Bucket): Promise<void> {
  try {
    await bucket.client.send(new HeadBucketCommand(bucket.address))
  } catch (error) {
    const isMissing = classifyAwsError(error).kind === 'missing'
    throw asStorageError(isMissing ? Object.assign(new Error(), { name: 'NoSuchBucket' }) : error, 'HeadBucket', bucket)
  }
}
