/** Bad days of S3: what was promised holds, or the error says what happened. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { type FaultProxy, startFaultProxy } from '#test/support/cloud/fault-proxy.ts'
import { makeBucket, type TestBucket } from '#test/support/cloud/s3.ts'

const MIB = 1_048_576
const PUT = /^PUT .*x-id=PutObject/
const GET = /^GET .*x-id=GetObject/
const PART = /^PUT .*x-id=UploadPart/
const CREATE = /^POST .*\?uploads/
const COMPLETE = /^POST .*uploadId=/
const ABORT = /^DELETE .*uploadId=/

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

const store = (more: Parameters<TestBucket['store']>[0] = {}) => bucket.store({ endpoint: proxy.endpoint, ...more })
const faults = () => proxy.calls.flatMap(({ fault }) => fault ?? [])
const callsTo = (operation: RegExp) => proxy.calls.filter((call) => operation.test(call.operation)).length
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as Error & { code: string },
  )
const put = (text: string, ifAbsent = true) => store().put('k', Buffer.from(text), { ifAbsent })
const kept = async () => Buffer.from(await bucket.store().read('k')).toString()

async function upload(sizeBytes: number, options: { ifAbsent?: boolean } = {}) {
  const content = randomBytes(sizeBytes)
  const opened = await store().openUpload('k', options)
  for (let start = 0; start < sizeBytes; start += MIB) await opened.write(content.subarray(start, start + MIB))
  await opened.commit()
  return content
}

describe('a put', () => {
  it('goes through when S3 asks to slow down for a while', async () => {
    proxy.add({ operation: PUT, on: [1, 2, 3], fault: { kind: 'throttle' } })
    await put('x')
    expect(faults()).toEqual(['throttle', 'throttle', 'throttle'])
    expect(await kept()).toBe('x')
  })

  it('says so when S3 fails every time, and has written nothing', async () => {
    proxy.add({ operation: PUT, fault: { kind: 'error', status: 500, name: 'InternalError' } })
    const error = await errorOf(put('x'))
    expect(error).toMatchObject({
      code: 'STORAGE_UNREACHABLE',
      details: { reason: 'InternalError', operation: 'PutObject' },
    })
    expect(callsTo(PUT)).toBe(5)
    expect(await bucket.keys()).toEqual([])
  })

  it('is sent again when the connection broke before S3 had it', async () => {
    proxy.add({ operation: PUT, on: [1], fault: { kind: 'reset-before' } })
    await put('x')
    expect(await kept()).toBe('x')
  })

  it('does not take the object that it wrote itself for that of another, when its answer was lost', async () => {
    proxy.add({ operation: PUT, on: [1], fault: { kind: 'reset-after' } })
    expect(await put('mine')).toMatchObject({ sizeBytes: 4 })
    expect(callsTo(PUT)).toBe(2)
    expect(await kept()).toBe('mine')
  })

  it('takes the same content of another for that of another, when its own answer was lost', async () => {
    await bucket.store().put('k', Buffer.from('same'))
    proxy.add({ operation: PUT, on: [1], fault: { kind: 'reset-after' } })
    expect(await errorOf(put('same'))).toMatchObject({ code: 'OBJECT_EXISTS' })
  })

  it('finds out by itself that it was written when every answer was lost', async () => {
    proxy.add({ operation: PUT, fault: { kind: 'reset-after' } })
    expect(await put('mine')).toMatchObject({ sizeBytes: 4 })
    expect(await kept()).toBe('mine')
  })

  it('never says that the object exists when it cannot know whose it is', async () => {
    proxy.add({ operation: PUT, on: [1], fault: { kind: 'reset-after' } })
    proxy.add({ operation: /^HEAD /, fault: { kind: 'error', status: 403, name: 'AccessDenied' } })
    const error = await errorOf(put('mine'))
    expect(error).toMatchObject({ code: 'STORAGE_UNREACHABLE' })
    expect(error.message).toContain('s3:GetObject')
  })

  it('waits for another conditional write that is under way', async () => {
    proxy.add({ operation: PUT, on: [1, 2], fault: { kind: 'error', status: 409, name: 'ConditionalRequestConflict' } })
    await put('x')
    expect(await kept()).toBe('x')
  })

  it('names the missing permission, and gives up at once', async () => {
    proxy.add({ operation: PUT, fault: { kind: 'error', status: 403, name: 'AccessDenied' } })
    const error = await errorOf(put('x'))
    expect(error.code).toBe('STORAGE_UNREACHABLE')
    expect(error.message).toBe(
      `the bucket ${bucket.name} refused PutObject (AccessDenied): the credentials need s3:PutObject on its objects`,
    )
    expect(callsTo(PUT)).toBe(1)
  })

  it('ends within its time when nobody answers', async () => {
    proxy.add({ operation: /./, fault: { kind: 'hang' } })
    const startedMs = performance.now()
    const hung = store({ requestTimeoutMs: 300, attempts: 2 }).put('k', Buffer.from('x'))
    expect(await errorOf(hung)).toMatchObject({
      code: 'STORAGE_UNREACHABLE',
      details: { reason: expect.stringMatching(/^(ETIMEDOUT|TimeoutError)$/) },
    })
    expect(performance.now() - startedMs).toBeLessThan(20_000)
  })
})

describe('a read', () => {
  const content = randomBytes(300_000)
  beforeEach(() => bucket.store().put('k', content))
  const read = async () => Buffer.compare(await store().read('k'), content)

  it('goes on where a broken body ended', async () => {
    proxy.add({ operation: GET, on: [1], fault: { kind: 'truncate', keepBytes: 100_001 } })
    proxy.add({ operation: GET, on: [1], fault: { kind: 'truncate', keepBytes: 7 } })
    expect(await read()).toBe(0)
    expect(faults()).toEqual(['truncate', 'truncate'])
    expect(callsTo(GET)).toBe(3)
  })

  it('of a range goes on inside the range', async () => {
    proxy.add({ operation: GET, on: [1], fault: { kind: 'truncate', keepBytes: 50_000 } })
    const part = await store().read('k', { startByte: 1_000, lengthBytes: 200_000 })
    expect(Buffer.compare(part, content.subarray(1_000, 201_000))).toBe(0)
    expect(faults()).toEqual(['truncate'])
  })

  it('goes on after a silence', async () => {
    proxy.add({ operation: GET, on: [1], fault: { kind: 'stall', keepBytes: 100_000 } })
    expect(Buffer.compare(await store({ requestTimeoutMs: 4_000 }).read('k'), content)).toBe(0)
    expect(faults()).toEqual(['stall'])
  })

  it.each([
    ['replaced', () => bucket.store().put('k', randomBytes(300_000))],
    ['deleted', () => bucket.store().delete('k')],
  ])('refuses to go on in an object that was %s meanwhile', async (_, change) => {
    proxy.add({ operation: GET, on: [1], fault: { kind: 'truncate', keepBytes: 100_000 } })
    const stream = store().readStream('k')[Symbol.asyncIterator]()
    await stream.next()
    await change()
    const rest = async () => {
      while (!(await stream.next()).done);
    }
    const error = await errorOf(rest())
    expect(error).toMatchObject({ code: 'STORAGE_UNREACHABLE' })
    expect(error.message).toContain('replaced or deleted while it was read')
  })

  it('fails, and hands out no shorter object, when every body breaks off at once', async () => {
    proxy.add({ operation: GET, fault: { kind: 'truncate', keepBytes: 0 } })
    const error = await errorOf(read())
    expect(error).toMatchObject({ code: 'STORAGE_UNREACHABLE' })
    expect(error.message).toContain('could not be read to its end')
  })

  it('goes through throttling and resets before the first byte', async () => {
    proxy.add({ operation: GET, on: [1], fault: { kind: 'throttle' } })
    proxy.add({ operation: GET, on: [1], fault: { kind: 'reset-before' } })
    expect(await read()).toBe(0)
  })
})

describe('an upload in parts', () => {
  const nothingIsLeft = async () => {
    expect(await bucket.keys()).toEqual([])
    expect(await bucket.unfinishedParts()).toBe(0)
  }

  it('sends again the part that was lost, before or after S3 had it', async () => {
    proxy.add({ operation: PART, on: [1], fault: { kind: 'reset-before' } })
    proxy.add({ operation: PART, on: [2], fault: { kind: 'reset-after' } })
    const content = await upload(20 * MIB)
    expect(Buffer.compare(await bucket.store().read('k'), content)).toBe(0)
    expect(faults().toSorted()).toEqual(['reset-after', 'reset-before'])
    expect(await bucket.unfinishedParts()).toBe(0)
  })

  it('shows no object and leaves no part when one part fails for good', async () => {
    proxy.add({ operation: /partNumber=2/, fault: { kind: 'error', status: 500, name: 'InternalError' } })
    expect(await errorOf(upload(30 * MIB))).toMatchObject({
      code: 'STORAGE_UNREACHABLE',
      details: { operation: 'UploadPart' },
    })
    expect(callsTo(ABORT)).toBeGreaterThan(0)
    await nothingIsLeft()
  })

  it('keeps the old object when the new one fails in the middle', async () => {
    await bucket.store().put('k', Buffer.from('old'))
    proxy.add({ operation: /partNumber=2/, fault: { kind: 'error', status: 500, name: 'InternalError' } })
    await errorOf(upload(20 * MIB))
    expect(await kept()).toBe('old')
  })

  it('removes what an answerless part brought after all', async () => {
    proxy.add({ operation: /partNumber=1/, fault: { kind: 'reset-after' } })
    await errorOf(upload(20 * MIB))
    await nothingIsLeft()
  })

  it('goes on when the answer to its beginning was lost, and leaves no part in the upload that nobody knows', async () => {
    proxy.add({ operation: CREATE, on: [1], fault: { kind: 'reset-after' } })
    const content = await upload(9 * MIB)
    expect(Buffer.compare(await bucket.store().read('k'), content)).toBe(0)
    expect(await bucket.unfinishedParts()).toBe(0)
  })

  it.each([
    ['repeats its answer', []],
    ['has forgotten the upload', [{ status: 404, name: 'NoSuchUpload' }]],
    ['sees the object of the first attempt', [{ status: 412, name: 'PreconditionFailed' }]],
  ])('is complete when the answer to its end was lost and S3 %s', async (_, second) => {
    proxy.add({ operation: COMPLETE, on: [1], fault: { kind: 'reset-after' } })
    for (const error of second) proxy.add({ operation: COMPLETE, on: [1], fault: { kind: 'error', ...error } })
    const content = await upload(9 * MIB, { ifAbsent: true })
    expect(callsTo(COMPLETE)).toBe(2)
    expect(Buffer.compare(await bucket.store().read('k'), content)).toBe(0)
  })

  it('is completed again when S3 says in the body of a 200 that it failed', async () => {
    proxy.add({ operation: COMPLETE, on: [1], fault: { kind: 'error', status: 200, name: 'InternalError' } })
    const content = await upload(9 * MIB, { ifAbsent: true })
    expect(faults()).toEqual(['error'])
    expect(Buffer.compare(await bucket.store().read('k'), content)).toBe(0)
  })

  it('is not complete when another wrote the key, also when the answer that said so was lost', async () => {
    await bucket.store().put('k', Buffer.from('other'))
    proxy.add({ operation: COMPLETE, on: [1], fault: { kind: 'reset-after' } })
    expect(await errorOf(upload(9 * MIB, { ifAbsent: true }))).toMatchObject({ code: 'OBJECT_EXISTS' })
    expect(await kept()).toBe('other')
    expect(await bucket.unfinishedParts()).toBe(0)
  })

  it('reports its own failure when giving up fails as well', async () => {
    proxy.add({ operation: PART, fault: { kind: 'error', status: 403, name: 'AccessDenied' } })
    proxy.add({ operation: ABORT, fault: { kind: 'error', status: 500, name: 'InternalError' } })
    const error = await errorOf(upload(9 * MIB))
    expect(error.message).toContain('refused UploadPart (AccessDenied)')
    expect(await bucket.keys()).toEqual([])
  })
})

describe('the start', () => {
  it.each([
    ['AccessDenied', 403, 's3:ListBucket'],
    ['InvalidAccessKeyId', 403, 'refused the credentials'],
    ['SignatureDoesNotMatch', 403, 'refused the credentials'],
    ['PermanentRedirect', 301, 'AWS_REGION'],
  ])('says what to do about %s, without the credentials', async (name, status, words) => {
    proxy.add({ operation: /list-type=2/, fault: { kind: 'error', status, name } })
    const error = await errorOf(store().assertAccess('read'))
    expect(error).toMatchObject({ code: 'STORAGE_UNREACHABLE', details: { reason: name } })
    expect(error.message).toContain(words)
    expect(`${error.message}${error.stack}${JSON.stringify(error)}`).not.toMatch(/local-secret-word|111122223333/)
  })

  it('asks for writing only who will write', async () => {
    proxy.add({ operation: CREATE, fault: { kind: 'error', status: 403, name: 'AccessDenied' } })
    await store().assertAccess('read')
    expect((await errorOf(store().assertAccess('write'))).message).toContain('s3:PutObject')
  })
})

it('a listing and a deletion go through throttling', async () => {
  await bucket.store().put('k', Buffer.from('x'))
  proxy.add({ on: [1, 3], fault: { kind: 'throttle' } })
  expect((await store().list('')).objects).toHaveLength(1)
  await store().delete('k')
  expect(faults()).toEqual(['throttle', 'throttle'])
  expect(await bucket.keys()).toEqual([])
})
