/** The S3 client: where, as whom, how long an attempt may take and how many there are. */
import { S3Client } from '@aws-sdk/client-s3'
import { BackstopError } from '#lib/kernel/index.ts'
import { assertObjectKey } from '#lib/ports/index.ts'
// The files themselves: the folder's public face would load the clients of every service.
import { awsClientConfig } from '../aws/client.ts'
import type { Bucket, S3ObjectStoreOptions } from './model.ts'

const ATTEMPTS = 5
const REQUEST_TIMEOUT_MS = 20_000
/** Slower than this over a whole body counts as stuck. */
const LEAST_BYTES_PER_MS = 128
const DEFAULT_REGION = 'us-east-1'
const MAX_RETAIN_DAYS = 36_500

/** Nothing is sent yet. Throws STORAGE_URL_INVALID, OBJECT_KEY_INVALID for a malformed prefix. */
export function openBucket(options: S3ObjectStoreOptions): Bucket {
  assertBucketName(options.bucket)
  if (options.lock) assertRetention(options.lock.retainDays)
  const { expectedBucketOwner: owner, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options
  return {
    client: openClient(options, requestTimeoutMs),
    name: options.bucket,
    prefix: prefixOf(options.prefix),
    address: { Bucket: options.bucket, ...(owner !== undefined && { ExpectedBucketOwner: owner }) },
    kmsKeyId: options.kmsKeyId,
    lock: options.lock,
    clock: options.clock,
    random: options.random,
    requestTimeoutMs,
  }
}

/**
 * Checksums: SHA-256 is given for each write; the SDK's own CRC is for what S3 requires one and has none
 * Continue:  off. A body is in memory and may be sent again, and `Expect` would cost a new connection each
 */
function openClient(options: S3ObjectStoreOptions, requestTimeoutMs: number): S3Client {
  const { endpoint, credentials, attempts = ATTEMPTS } = options
  const region = options.region ?? (endpoint === undefined ? undefined : DEFAULT_REGION)
  const { region: _, ...shared } = awsClientConfig({
    region: '',
    requestTimeoutMs,
    attempts,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
  })
  return new S3Client({
    ...shared,
    ...(region !== undefined && { region }),
    forcePathStyle: options.forcePathStyle ?? endpoint !== undefined,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    followRegionRedirects: endpoint === undefined,
  })
}

/** The time that one attempt with a body of this size may take until its answer begins. */
export function timeoutFor(bucket: Bucket, sizeBytes: number): { requestTimeout: number } {
  return { requestTimeout: bucket.requestTimeoutMs + Math.ceil(sizeBytes / LEAST_BYTES_PER_MS) }
}

/** The name is not repeated: what stands in its place may be a pair of credentials. */
function assertBucketName(name: string): void {
  if (/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) return
  throw new BackstopError(
    'STORAGE_URL_INVALID',
    'The name of the bucket is malformed: it has 3 to 63 lower-case letters, digits, "." and "-".',
  )
}

function assertRetention(days: number): void {
  if (Number.isSafeInteger(days) && days >= 1 && days <= MAX_RETAIN_DAYS) return
  throw new BackstopError('CONFIG_INVALID', `Objects are locked for 1 to ${MAX_RETAIN_DAYS} whole days.`)
}

function prefixOf(prefix = ''): string {
  const segments = prefix.replace(/^\/|\/$/g, '')
  if (segments === '') return ''
  assertObjectKey(segments)
  return `${segments}/`
}
