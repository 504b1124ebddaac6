import { createHash, randomBytes } from 'node:crypto'
import { GetObjectRetentionCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import type { ErrorCode } from '#lib/kernel/index.ts'
import { objectStoreContract } from '#test/contract/object-store.ts'
import { makeBucket, type TestBucket } from '#test/support/cloud/s3.ts'
import { eventually } from '#test/support/eventually.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'

const endpoint = inject('cloudEndpoint')
const MIB = 1_048_576

objectStoreContract('S3', async () => {
  const bucket = await makeBucket(endpoint)
  return { store: bucket.store(), close: async () => {} }
})

objectStoreContract('S3 under a prefix', async () => {
  const bucket = await makeBucket(endpoint)
  await bucket.client.send(new PutObjectCommand({ Bucket: bucket.name, Key: 'team/ba/outside', Body: 'x' }))
  await bucket.client.send(new PutObjectCommand({ Bucket: bucket.name, Key: 'team/backups', Body: 'x' }))
  return {
    store: bucket.store({ prefix: 'team/backups' }),
    longestKeyBytes: 1_024 - 'team/backups/'.length,
    close: async () => {},
  }
})

describe('S3 itself', () => {
  let bucket: TestBucket
  beforeAll(async () => {
    bucket = await makeBucket(endpoint)
  })
  const rejects = (promise: Promise<unknown>, code: ErrorCode) => expect(promise).rejects.toMatchObject({ code })

  it('sends an upload of more than 8 MiB in parts, and keeps the SHA-256 of each', async () => {
    const content = randomBytes(20 * MIB)
    const upload = await bucket.store().openUpload('large')
    for (let start = 0; start < content.length; start += 700_001) {
      await upload.write(content.subarray(start, start + 700_001))
    }
    expect(await upload.commit()).toEqual({
      sizeBytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    })
    const head = await bucket.head('large')
    // The ETag of an upload in parts ends in their number; the checksum of checksums as well.
    expect(head.ETag).toMatch(/-3"$/)
    expect(head.ChecksumSHA256).toMatch(/-3$/)
    expect(Buffer.compare(await bucket.store().read('large'), content)).toBe(0)
  })

  it('sends one of exactly 8 MiB in one request, and one byte more in two parts', async () => {
    for (const [key, sizeBytes, etag] of [
      ['exact', 8 * MIB, /^"[0-9a-f]{32}"$/],
      ['more', 8 * MIB + 1, /-2"$/],
    ] as const) {
      const upload = await bucket.store().openUpload(key)
      await upload.write(Buffer.alloc(sizeBytes, 7))
      await upload.commit()
      expect((await bucket.head(key)).ETag).toMatch(etag)
    }
  })

  it('takes a chunk whose buffer is used again at once', async () => {
    const chunk = Buffer.alloc(3 * MIB)
    const upload = await bucket.store().openUpload('reused')
    for (let n = 1; n <= 6; n++) await upload.write(chunk.fill(n))
    await upload.commit()
    const content = await bucket.store().read('reused')
    for (let n = 1; n <= 6; n++) expect(content[n * 3 * MIB - 1]).toBe(n)
  })

  it('keeps the SHA-256 of what was put, for S3 to verify', async () => {
    await bucket.store().put('small', Buffer.from('x'))
    const expected = createHash('sha256').update('x').digest('base64')
    expect((await bucket.head('small')).ChecksumSHA256).toBe(expected)
  })

  it('leaves no part after an abort in the middle', async () => {
    const upload = await bucket.store().openUpload('given-up')
    await upload.write(Buffer.alloc(20 * MIB))
    await eventually(async () => (await bucket.unfinishedParts()) > 0)
    await upload.abort()
    await upload.abort()
    expect(await bucket.unfinishedParts()).toBe(0)
    expect(await bucket.store().find('given-up')).toBeUndefined()
  })

  it('gives uploads in parts of one absent key one winner, and the losers leave no part', async () => {
    const contents = Array.from({ length: 4 }, (_, n) => Buffer.alloc(9 * MIB, n))
    const results = await Promise.allSettled(
      contents.map(async (content) => {
        const upload = await bucket.store().openUpload('raced', { ifAbsent: true })
        await upload.write(content)
        return await upload.commit()
      }),
    )
    const winners = results.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []))
    expect(winners).toHaveLength(1)
    expect((await bucket.store().read('raced'))[0]).toBe(winners[0])
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'OBJECT_EXISTS' })
    }
    expect(await bucket.unfinishedParts()).toBe(0)
  })

  it('splits a large put like an upload', async () => {
    const content = randomBytes(33 * MIB)
    await bucket.store().put('large-put', content, { ifAbsent: true })
    expect((await bucket.head('large-put')).ETag).toMatch(/-\d+"$/)
    expect(Buffer.compare(await bucket.store().read('large-put'), content)).toBe(0)
  })

  it('gives the connection back when a reader leaves early', async () => {
    await bucket.store().put('long', randomBytes(3 * MIB))
    const store = bucket.store()
    // More than there are connections.
    for (let n = 0; n < 80; n++) {
      for await (const chunk of store.readStream('long')) {
        expect(chunk.length).toBeGreaterThan(0)
        break
      }
    }
    expect(await store.read('long')).toHaveLength(3 * MIB)
  })

  it('passes over what others put under names that are no keys', async () => {
    const shared = await makeBucket(endpoint)
    for (const key of ['folder/', 'folder//x', 'folder/a']) {
      await shared.client.send(new PutObjectCommand({ Bucket: shared.name, Key: key, Body: Buffer.from('x') }))
    }
    const { objects, cursor } = await shared.store().list('folder/')
    expect(objects.map(({ key }) => key)).toEqual(['folder/a'])
    expect(cursor).toBeUndefined()
  })

  it('keeps stores under different prefixes of one bucket apart', async () => {
    const shared = await makeBucket(endpoint)
    await shared.store({ prefix: '/one/' }).put('k', Buffer.from('1'))
    await shared.store({ prefix: 'one-more' }).put('k', Buffer.from('2'))
    expect(await shared.keys()).toEqual(['one-more/k', 'one/k'])
    expect((await shared.store({ prefix: 'one' }).list('')).objects.map(({ key }) => key)).toEqual(['k'])
  })

  it('encrypts under the named key, and locks until the retention is over', async () => {
    const locked = await makeBucket(endpoint, { hasLock: true })
    const store = locked.store({
      kmsKeyId: 'alias/backstop-test',
      lock: { mode: 'COMPLIANCE', retainDays: 30 },
      clock: createFixedClock(Date.UTC(2030, 0, 1)),
    })
    await store.put('one-request', Buffer.from('x'))
    const upload = await store.openUpload('in-parts')
    await upload.write(Buffer.alloc(9 * MIB))
    await upload.commit()
    for (const key of ['one-request', 'in-parts']) {
      expect(await locked.head(key)).toMatchObject({
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId: expect.stringContaining('backstop-test'),
      })
    }
    const { Retention } = await locked.client.send(
      new GetObjectRetentionCommand({ Bucket: locked.name, Key: 'one-request' }),
    )
    expect(Retention).toEqual({ Mode: 'COMPLIANCE', RetainUntilDate: new Date('2030-01-31T00:00:00.000Z') })
  })

  it('says that a bucket is missing, at every call', async () => {
    const store = bucket.store({ bucket: 'no-such-bucket-here' })
    const calls = {
      put: () => store.put('k', Buffer.from('x')),
      read: () => store.read('k'),
      find: () => store.find('k'),
      list: () => store.list(''),
      delete: () => store.delete('k'),
      assertAccess: () => store.assertAccess('read'),
    }
    for (const [call, run] of Object.entries(calls)) {
      const error = await run().then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      expect({ call, error }).toMatchObject({ error: { code: 'STORAGE_UNREACHABLE' } })
      expect({ call, text: String(error) }).toMatchObject({
        text: expect.stringContaining('the bucket no-such-bucket-here does not exist'),
      })
    }
  })

  it('tries reading and writing at the start, and leaves nothing of it', async () => {
    const fresh = await makeBucket(endpoint)
    await fresh.store({ prefix: 'p' }).assertAccess('write')
    expect(await fresh.keys()).toEqual([])
    expect(await fresh.unfinishedParts()).toBe(0)
  })

  it.each([
    ['STORAGE_URL_INVALID', { bucket: 'Bad_Name' }],
    ['STORAGE_URL_INVALID', { bucket: 'AKIAKEY:secret' }],
    ['OBJECT_KEY_INVALID', { prefix: 'a/../b' }],
    ['CONFIG_INVALID', { lock: { mode: 'GOVERNANCE', retainDays: 0 } }],
    ['CONFIG_INVALID', { lock: { mode: 'GOVERNANCE', retainDays: 1.5 } }],
  ] as const)('refuses malformed options with %s: %j', (code, options) => {
    expect(() => bucket.store(options)).toThrow(expect.objectContaining({ code }))
    expect(() => bucket.store(options)).not.toThrow(/AKIAKEY/)
  })

  it('refuses a key that is too long with its prefix', async () => {
    const store = bucket.store({ prefix: 'p'.repeat(100) })
    await rejects(store.put('k'.repeat(924), Buffer.from('x')), 'OBJECT_KEY_INVALID')
    await rejects(store.openUpload('k'.repeat(924)), 'OBJECT_KEY_INVALID')
    expect(await store.list('k'.repeat(1_000))).toEqual({ objects: [] })
  })
})
