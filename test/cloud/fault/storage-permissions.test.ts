/** The doctor on a bucket: one that lets everything be destroyed, one whose policy denies it, one that refuses altogether. */
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { runCliJson } from '#test/support/cli/run-cli.ts'
import { type FaultProxy, startFaultProxy } from '#test/support/cloud/fault-proxy.ts'
import { makeBucket, S3_CREDENTIALS, type TestBucket } from '#test/support/cloud/s3.ts'

const DENIED = { kind: 'error', status: 403, name: 'AccessDenied' } as const
const AWS = {
  AWS_ACCESS_KEY_ID: S3_CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: S3_CREDENTIALS.secretAccessKey,
  AWS_REGION: 'us-east-1',
}

let bucket: TestBucket
let proxy: FaultProxy
beforeAll(async () => {
  proxy = await startFaultProxy({ upstream: inject('cloudEndpoint') })
})
afterAll(() => proxy.close())
beforeEach(async () => {
  proxy.clear()
  bucket = await makeBucket(inject('cloudEndpoint'))
})

const examine = (...more: string[]) =>
  runCliJson(['doctor', 'storage-permissions', '--storage', `s3://${bucket.name}@${proxy.endpoint}`, ...more], AWS)

/** As a policy that denies s3:DeleteObject, and s3:PutObject without If-None-Match: the third write is the only such one. */
function denyDestruction(): void {
  proxy.add({ service: 's3', operation: /^DELETE /, fault: DENIED })
  proxy.add({ service: 's3', operation: /^PUT .*\/doctor\//, on: [3], fault: DENIED })
}

test('strict fails on a bucket in which recovery objects can be deleted, and passes in the plain way with warnings', async () => {
  const strict = await examine('--strict')
  expect(strict).toMatchObject({ exitCode: 1, data: { ok: false, write_ok: true, delete_allowed: true, strict: true } })
  expect(strict.data.error.hint).toMatch(/s3:DeleteObject|If-None-Match/)
  const plain = await examine()
  expect(plain).toMatchObject({ exitCode: 0, data: { ok: true, bucket: bucket.name, conditional_write_ok: true } })
  expect(plain.data.warnings).toHaveLength(2)
  expect(plain.data.checked).toContain('versioning is off')
  expect(await bucket.keys()).toEqual([])
})

test('strict passes where the policy denies deletion and replacement', async () => {
  denyDestruction()
  const { exitCode, data } = await examine('--strict')
  expect({ exitCode, problems: data.problems }).toEqual({ exitCode: 0, problems: [] })
  expect(data).toMatchObject({
    ok: true,
    write_ok: true,
    read_ok: true,
    list_ok: true,
    conditional_write_ok: true,
    delete_allowed: false,
    overwrite_allowed: false,
    deletable_folders: [],
  })
  expect(data.delete_error).toContain('s3:DeleteObject')
  expect(await bucket.keys()).toEqual([data.test_key])
})

test('credentials that may not write are told which permission is missing', async () => {
  proxy.add({ service: 's3', operation: /^PUT /, fault: DENIED })
  const { exitCode, data } = await examine()
  expect(exitCode).toBe(1)
  expect(data).toMatchObject({
    ok: false,
    write_ok: false,
    error: { message: expect.stringContaining('s3:PutObject') },
  })
  expect(data.skipped.map(({ subject }: { subject: string }) => subject)).toContain('delete')
})

test('a bucket of which nothing may be asked about is used all the same, and what is unknown is told', async () => {
  proxy.add({ service: 's3', operation: /^GET .*\?(versioning|object-lock)/, fault: DENIED })
  const { exitCode, data } = await examine()
  expect(exitCode).toBe(0)
  expect(data.skipped).toEqual(
    expect.arrayContaining([
      { subject: 'versioning', reason: expect.stringContaining('s3:GetBucketVersioning') },
      { subject: 'object lock', reason: expect.stringContaining('s3:GetBucketObjectLockConfiguration') },
    ]),
  )
})
