/** Buckets of a test's own in the local cloud. */
import { randomUUID } from 'node:crypto'
import {
  CreateBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { openS3ObjectStore, type S3ObjectStoreOptions } from '#lib/adapters/s3/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'

export const S3_CREDENTIALS = { accessKeyId: '111122223333', secretAccessKey: 'local-secret-word' }

export function openS3(endpoint: string): S3Client {
  return new S3Client({ endpoint, region: 'us-east-1', credentials: S3_CREDENTIALS, forcePathStyle: true })
}

export interface TestBucket {
  readonly name: string
  readonly client: S3Client
  /** A store on it, through the endpoint itself unless told otherwise. */
  store(options?: Partial<S3ObjectStoreOptions>): ReturnType<typeof openS3ObjectStore>
  /** Keys as S3 has them. */
  keys(): Promise<string[]>
  head(key: string): Promise<Awaited<ReturnType<typeof headOf>>>
  /** Of uploads that were begun and neither completed nor aborted. */
  unfinishedParts(): Promise<number>
}

const headOf = (client: S3Client, bucket: string, key: string) =>
  client.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }))

export async function makeBucket(endpoint: string, options: { hasLock?: boolean } = {}): Promise<TestBucket> {
  const client = openS3(endpoint)
  const name = `test-${randomUUID()}`
  await client.send(new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: options.hasLock ?? false }))
  return {
    name,
    client,
    store: (more = {}) =>
      openS3ObjectStore({
        bucket: name,
        endpoint,
        credentials: S3_CREDENTIALS,
        clock: systemClock,
        random: systemRandom,
        ...more,
      }),
    keys: async () => {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: name }))
      return Contents.map(({ Key }) => Key ?? '')
    },
    head: (key) => headOf(client, name, key),
    unfinishedParts: () => countParts(client, name),
  }
}

async function countParts(client: S3Client, bucket: string): Promise<number> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
  let count = 0
  for (const { Key, UploadId } of Uploads) {
    const { Parts = [] } = await client.send(new ListPartsCommand({ Bucket: bucket, Key, UploadId }))
    count += Parts.length
  }
  return count
}
