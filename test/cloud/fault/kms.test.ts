/** Bad days of KMS. */
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { openKmsKeyRing } from '#lib/adapters/aws/index.ts'
import type { KeyRing } from '#lib/ports/index.ts'
import { type FaultProxy, startFaultProxy } from '#test/support/cloud/fault-proxy.ts'
import { openTestKeys } from '#test/support/cloud/secrets.ts'

const CONTEXT = { bucket: 'b', object: 'o' }

let proxy: FaultProxy
let ring: KeyRing
let keyId: string
beforeAll(async () => {
  proxy = await startFaultProxy({ upstream: inject('cloudEndpoint') })
  const keys = openTestKeys(inject('cloudEndpoint'))
  keyId = await keys.create()
  ring = openKmsKeyRing({ aws: { ...keys.aws, endpoint: proxy.endpoint }, keyId })
})
afterAll(() => proxy.close())
beforeEach(() => proxy.clear())

describe('the key ring', () => {
  it('goes through throttling', async () => {
    proxy.add({ on: [1, 2, 4], fault: { kind: 'throttle' } })
    const { plaintext, wrapped } = await ring.generateDataKey(CONTEXT)
    expect(Buffer.compare(await ring.unwrap(wrapped, CONTEXT), plaintext)).toBe(0)
    expect(proxy.calls.map(({ operation, fault }) => `${operation} ${fault ?? ''}`)).toEqual([
      'GenerateDataKey throttle',
      'GenerateDataKey throttle',
      'GenerateDataKey ',
      'Decrypt throttle',
      'Decrypt ',
    ])
  })

  it('says so when it stays throttled', async () => {
    proxy.add({ fault: { kind: 'throttle' } })
    await expect(ring.generateDataKey(CONTEXT)).rejects.toMatchObject({
      code: 'KEYS_UNREACHABLE',
      details: { failure: 'throttled' },
    })
  })

  it('makes another key when the answer with the first was lost', async () => {
    proxy.add({ on: [1], fault: { kind: 'reset-after' } })
    const { plaintext, wrapped } = await ring.generateDataKey(CONTEXT)
    expect(Buffer.compare(await ring.unwrap(wrapped, CONTEXT), plaintext)).toBe(0)
  })

  it.each([
    ['AccessDeniedException', 'KEYS_UNREACHABLE'],
    ['KMSInternalException', 'KEYS_UNREACHABLE'],
    ['NotFoundException', 'KEY_MISSING'],
    ['DisabledException', 'KEY_REFUSED'],
    ['KMSInvalidStateException', 'KEY_REFUSED'],
    ['InvalidCiphertextException', 'KEY_REFUSED'],
    ['IncorrectKeyException', 'KEY_REFUSED'],
  ])('maps %s to %s, and names the key', async (name, code) => {
    const { wrapped } = await ring.generateDataKey(CONTEXT)
    proxy.add({ fault: { kind: 'error', status: name === 'KMSInternalException' ? 500 : 400, name } })
    const failed = ring.unwrap(wrapped, CONTEXT)
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringContaining(keyId) })
  })

  it('does not take a key that is out of reach for one that refuses, and asks no former key then', async () => {
    const { wrapped } = await ring.generateDataKey(CONTEXT)
    proxy.clear()
    proxy.add({ fault: { kind: 'error', status: 400, name: 'AccessDeniedException' } })
    await expect(ring.unwrap(wrapped, CONTEXT)).rejects.toMatchObject({ code: 'KEYS_UNREACHABLE' })
    expect(proxy.calls).toHaveLength(1)
  })
})
