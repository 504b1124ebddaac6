/** A bucket, or the part of one under a prefix, as the object store sees it. */
import type { S3Client } from '@aws-sdk/client-s3'
import { BackstopError } from '#lib/kernel/index.ts'
import type { Clock, Random } from '#lib/ports/index.ts'

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** Each object is kept from deletion and change for so long after it was written. Compliance: also by the account's root. */
export interface ObjectLock {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE'
  readonly retainDays: number
}

export interface S3ObjectStoreOptions {
  readonly bucket: string
  /** Whole segments; keys lie below it. Empty or absent: the whole bucket. */
  readonly prefix?: string
  /** Absent: Amazon S3 itself. */
  readonly endpoint?: string
  /** Absent: what the SDK's chain says, or `us-east-1` at another endpoint. */
  readonly region?: string
  /** Absent: the SDK's chain (environment, profile, role). */
  readonly credentials?: S3Credentials
  /** The bucket in the path, not in the host's name; true at an endpoint when absent. */
  readonly forcePathStyle?: boolean
  /** Encrypt each object under this KMS key; absent: as the bucket does by itself. */
  readonly kmsKeyId?: string
  readonly lock?: ObjectLock
  /** Refuse the bucket when another account owns it. */
  readonly expectedBucketOwner?: string
  readonly clock: Clock
  readonly random: Random
  /** Of one call, the first included; 5 when absent. */
  readonly attempts?: number
  /** Until the answer begins, on top of the time that a body takes, and between two pieces of it; 20,000 when absent. */
  readonly requestTimeoutMs?: number
}

export interface Bucket {
  readonly client: S3Client
  readonly name: string
  /** Empty, or ends in `/`. */
  readonly prefix: string
  /** In every request. */
  readonly address: { readonly Bucket: string; readonly ExpectedBucketOwner?: string }
  readonly kmsKeyId: string | undefined
  readonly lock: ObjectLock | undefined
  readonly clock: Clock
  readonly random: Random
  readonly requestTimeoutMs: number
}

/** What a bucket's own keys are limited to, the prefix included. */
export const MAX_FULL_KEY_BYTES = 1_024

/** The key in the bucket. Throws OBJECT_KEY_INVALID when prefix and key together are too long. */
export function fullKeyOf(bucket: Bucket, key: string): string {
  const fullKey = bucket.prefix + key
  if (Buffer.byteLength(fullKey) <= MAX_FULL_KEY_BYTES) return fullKey
  throw new BackstopError(
    'OBJECT_KEY_INVALID',
    `the object key is longer than ${MAX_FULL_KEY_BYTES} bytes with its prefix`,
  )
}
