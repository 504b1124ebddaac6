import { describe, expect, it } from 'vitest'
import { asStorageError, type S3Operation } from '#lib/adapters/s3/failure.ts'
import type { Bucket } from '#lib/adapters/s3/model.ts'
import { BackstopError } from '#lib/kernel/index.ts'

const PLAIN = { name: 'prod-snapshots' } as Bucket
const GUARDED = { ...PLAIN, kmsKeyId: 'alias/x', lock: { mode: 'COMPLIANCE', retainDays: 1 } } as Bucket

const thrown = (name: string, httpStatusCode: number, more: object = {}) =>
  Object.assign(new Error('the text of S3, with AKIASECRETKEYID and X-Amz-Signature=abc'), {
    name,
    $metadata: { httpStatusCode, attempts: 1 },
    ...more,
  })

describe('what S3 throws', () => {
  it.each<[S3Operation, string]>([
    ['PutObject', 's3:PutObject'],
    ['UploadPart', 's3:PutObject'],
    ['GetObject', 's3:GetObject'],
    ['HeadObject', 's3:GetObject'],
    ['ListObjectsV2', 's3:ListBucket'],
    ['DeleteObject', 's3:DeleteObject'],
    ['AbortMultipartUpload', 's3:AbortMultipartUpload'],
  ])('names the permission that %s lacks: %s', (operation, permission) => {
    const error = asStorageError(thrown('AccessDenied', 403), operation, PLAIN)
    expect(error.code).toBe('STORAGE_UNREACHABLE')
    expect(error.message).toContain(permission)
    expect(error.message).toContain('prod-snapshots')
    expect(error.message).not.toContain('kms:GenerateDataKey')
  })

  it('names those of the key and of the lock where there are such', () => {
    const { message } = asStorageError(thrown('AccessDenied', 403), 'PutObject', GUARDED)
    expect(message).toContain('s3:PutObjectRetention')
    expect(message).toContain('kms:GenerateDataKey')
  })

  it('names the permission also for an answer without a body', () => {
    expect(asStorageError(thrown('403', 403), 'HeadObject', PLAIN).message).toContain('AccessDenied')
  })

  it.each([
    ['CredentialsProviderError', 0, 'AWS_ACCESS_KEY_ID'],
    ['InvalidAccessKeyId', 403, 'refused the credentials'],
    ['SignatureDoesNotMatch', 403, 'refused the credentials'],
    ['ExpiredToken', 400, 'refused the credentials'],
    ['PermanentRedirect', 301, 'AWS_REGION'],
    ['NoSuchBucket', 404, 'does not exist'],
    ['SlowDown', 503, 'slow down'],
    ['InternalError', 500, 'try again'],
    ['TimeoutError', 0, 'network'],
    ['ConditionalRequestConflict', 409, 'in the way'],
    ['NotImplemented', 501, 'conditional writes'],
    ['InvalidArgument', 400, 'conditional writes'],
  ])('says what to do about %s', (name, status, words) => {
    const error = asStorageError(thrown(name, status), 'PutObject', PLAIN)
    expect(error).toMatchObject({ code: 'STORAGE_UNREACHABLE', details: { operation: 'PutObject' } })
    expect(error.message).toContain(words)
  })

  it('says that no region is known', () => {
    expect(asStorageError(new Error('Region is missing'), 'PutObject', PLAIN).message).toContain('AWS_REGION')
  })

  it("repeats nothing of S3's own text, and carries no error along that would", () => {
    for (const name of ['AccessDenied', 'InvalidAccessKeyId', 'SlowDown', 'Whatever']) {
      const error = asStorageError(thrown(name, 403, { AWSAccessKeyId: 'AKIASECRETKEYID' }), 'PutObject', PLAIN)
      expect(`${error.message} ${JSON.stringify(error.details)}`).not.toMatch(/AKIA|Signature=/)
      expect(error.cause).toBeUndefined()
    }
  })

  it('leaves an error of the product as it is', () => {
    const own = new BackstopError('OBJECT_MISSING', 'there is no object k')
    expect(asStorageError(own, 'GetObject', PLAIN)).toBe(own)
  })
})
