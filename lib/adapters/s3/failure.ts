/** What S3 or the way to it says went wrong, as an error of the product. */
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
// The file itself: the folder's public face would load the clients of every service.
import { type AwsFailure, classifyAwsError } from '../aws/failure.ts'
import type { Bucket } from './model.ts'

export type S3Operation = keyof typeof PERMISSIONS

/** What a role must be allowed to for each operation. */
const PERMISSIONS = {
  HeadBucket: 's3:ListBucket on the bucket',
  ListObjectsV2: 's3:ListBucket on the bucket',
  HeadObject: 's3:GetObject on its objects and s3:ListBucket on the bucket',
  GetObject: 's3:GetObject on its objects and s3:ListBucket on the bucket',
  PutObject: 's3:PutObject on its objects',
  CreateMultipartUpload: 's3:PutObject on its objects',
  UploadPart: 's3:PutObject on its objects',
  CompleteMultipartUpload: 's3:PutObject on its objects',
  AbortMultipartUpload: 's3:AbortMultipartUpload on its objects',
  DeleteObject: 's3:DeleteObject on its objects',
} as const

const WRITES: ReadonlySet<S3Operation> = new Set(['PutObject', 'CreateMultipartUpload', 'UploadPart'])
const REFUSED_CREDENTIALS = new Set([
  'AuthFailure',
  'ExpiredToken',
  'IncompleteSignature',
  'InvalidAccessKeyId',
  'InvalidToken',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
])
const OTHER_REGION = new Set([
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'PermanentRedirect',
])

export function objectMissing(key: string): BackstopError {
  return new BackstopError('OBJECT_MISSING', `there is no object ${key}`, { details: { key } })
}

export function objectExists(key: string): BackstopError {
  return new BackstopError('OBJECT_EXISTS', `the object ${key} exists`, { details: { key } })
}

export function objectChanged(key: string): BackstopError {
  return new BackstopError('STORAGE_UNREACHABLE', `the object ${key} was replaced or deleted while it was read`, {
    details: { key },
  })
}

/** How often the SDK sent the request: an answer to a second attempt may be about what the first has done. */
export function attemptsOf(error: unknown): number {
  const { $metadata } = (error ?? {}) as { $metadata?: { attempts?: unknown } }
  return typeof $metadata?.attempts === 'number' ? $metadata.attempts : 1
}

/** S3's own name of the failure, such as `NoSuchKey`; for an answer without a body what its status says. */
export function nameOf(error: unknown): string {
  const { name, Code } = (error ?? {}) as { name?: unknown; Code?: unknown }
  return typeof Code === 'string' ? Code : typeof name === 'string' ? name : ''
}

/**
 * A BackstopError stays what it is; everything else means that the storage cannot be used.
 *
 * Refuses: to carry the SDK's error along, which may hold an access key's id or a signed string
 */
export function asStorageError(error: unknown, operation: S3Operation, bucket: Bucket): BackstopError {
  if (isBackstopError(error)) return error
  const failure = classifyAwsError(error)
  const reason = nameOf(error) === 'NoSuchBucket' ? 'NoSuchBucket' : failure.name
  return new BackstopError('STORAGE_UNREACHABLE', messageOf(error, failure, operation, bucket), {
    details: {
      reason,
      operation,
      bucket: bucket.name,
      ...(failure.httpStatus > 0 && { httpStatus: failure.httpStatus }),
      ...(failure.requestId !== undefined && { requestId: failure.requestId }),
    },
  })
}

function messageOf(error: unknown, failure: AwsFailure, operation: S3Operation, bucket: Bucket): string {
  const name = nameOf(error)
  const subject = `the bucket ${bucket.name}`
  if (name === 'NoSuchBucket') return `${subject} does not exist: create it, or correct its name`
  if (name === 'CredentialsProviderError') {
    return 'there are no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or run with a role'
  }
  if (REFUSED_CREDENTIALS.has(name)) return `${subject} refused the credentials (${name}): replace or renew them`
  if (OTHER_REGION.has(name)) return `${subject} is in another region (${name}): set AWS_REGION to its region`
  if (isRegionMissing(error)) return `the region of ${subject} is not known: set AWS_REGION`
  if (failure.kind === 'denied') return deniedText(failure, operation, bucket)
  return `${subject} failed at ${operation} (${failure.name}): ${adviceFor(failure)}`
}

function deniedText(failure: AwsFailure, operation: S3Operation, bucket: Bucket): string {
  const needed: string[] = [PERMISSIONS[operation]]
  if (WRITES.has(operation) && bucket.lock) needed.push('s3:PutObjectRetention')
  if (WRITES.has(operation) && bucket.kmsKeyId !== undefined)
    needed.push('kms:GenerateDataKey and kms:Decrypt on the key')
  if (operation === 'GetObject') needed.push('where objects are encrypted with a KMS key, kms:Decrypt on it')
  const name = failure.name === 'UnknownError' || failure.name === '403' ? 'AccessDenied' : failure.name
  return `the bucket ${bucket.name} refused ${operation} (${name}): the credentials need ${needed.join(', and ')}`
}

function adviceFor({ kind, httpStatus }: AwsFailure): string {
  if (kind === 'throttled') return 'too many requests at once, and retries did not help; slow down'
  if (kind === 'failing' && httpStatus !== 501) return 'S3 answers with errors, and retries did not help; try again'
  if (kind === 'busy') return 'other writes of the same key were in the way at every attempt; try again'
  if (kind === 'unreachable') return 'no complete answer came; check the endpoint and the network'
  return 'the request was refused; check that the endpoint speaks the S3 protocol with conditional writes and SHA-256'
}

/** The SDK throws a plain Error before anything is sent. */
function isRegionMissing(error: unknown): boolean {
  return error instanceof Error && error.message === 'Region is missing'
}
