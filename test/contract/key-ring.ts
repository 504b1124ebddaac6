/** What every ring of keys promises. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ErrorCode, isBackstopError } from '#lib/kernel/index.ts'
import type { KeyContext, KeyRing } from '#lib/ports/index.ts'

export interface OpenedKeyRing {
  readonly ring: KeyRing
  /** Let another key wrap from now on; what the old one wrapped still opens in the ring that is returned. */
  rotate(): Promise<KeyRing>
  /** Disable a key, or enable it again. */
  setEnabled(keyId: string, isEnabled: boolean): Promise<void>
  /** A ring of its own, whose keys are others. */
  openOther(): Promise<KeyRing>
  close(): Promise<void>
}

const CONTEXT: KeyContext = { bucket: 'prod-snapshots', object: 'snapshots/public/orders/1' }

export function keyRingContract(name: string, open: () => Promise<OpenedKeyRing>): void {
  describe(`key ring: ${name}`, () => {
    let opened: OpenedKeyRing
    let ring: KeyRing
    beforeAll(async () => {
      opened = await open()
      ring = opened.ring
    })
    afterAll(() => opened.close())

    const codeOf = (promise: Promise<unknown>): Promise<ErrorCode | 'opened'> =>
      promise.then(
        () => 'opened' as const,
        (error: unknown) => {
          if (!isBackstopError(error)) throw error
          return error.code
        },
      )

    it('makes a key of 32 bytes that opens again, and encrypts', async () => {
      const { plaintext, wrapped, keyId } = await ring.generateDataKey(CONTEXT)
      expect(plaintext).toHaveLength(32)
      expect(keyId).not.toBe('')
      const opened = await ring.unwrap(wrapped, CONTEXT)
      expect(Buffer.compare(opened, plaintext)).toBe(0)
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', plaintext, nonce)
      const sealed = Buffer.concat([cipher.update('rows'), cipher.final()])
      const decipher = createDecipheriv('aes-256-gcm', opened, nonce).setAuthTag(cipher.getAuthTag())
      expect(Buffer.concat([decipher.update(sealed), decipher.final()]).toString()).toBe('rows')
    })

    it('makes another key and another wrap each time, and does not show the key in the wrap', async () => {
      const keys = await Promise.all(Array.from({ length: 8 }, () => ring.generateDataKey(CONTEXT)))
      expect(new Set(keys.map(({ plaintext }) => Buffer.from(plaintext).toString('hex'))).size).toBe(8)
      expect(new Set(keys.map(({ wrapped }) => Buffer.from(wrapped).toString('hex'))).size).toBe(8)
      for (const { plaintext, wrapped } of keys) expect(Buffer.from(wrapped).indexOf(Buffer.from(plaintext))).toBe(-1)
    })

    it('opens whatever the order of the context', async () => {
      const { plaintext, wrapped } = await ring.generateDataKey({ a: '1', b: '2' })
      expect(Buffer.compare(await ring.unwrap(wrapped, { b: '2', a: '1' }), plaintext)).toBe(0)
    })

    it.each<[string, KeyContext]>([
      ['another value', { ...CONTEXT, object: 'snapshots/public/orders/2' }],
      ['one entry less', { bucket: 'prod-snapshots' }],
      ['one entry more', { ...CONTEXT, more: 'x' }],
      ['values changed over', { bucket: 'snapshots/public/orders/1', object: 'prod-snapshots' }],
      ['another case', { ...CONTEXT, bucket: 'Prod-snapshots' }],
    ])('refuses a context with %s', async (_, context) => {
      const { wrapped } = await ring.generateDataKey(CONTEXT)
      expect(await codeOf(ring.unwrap(wrapped, context))).toBe('KEY_REFUSED')
    })

    it('refuses a wrapped key with any one bit flipped', async () => {
      const { wrapped } = await ring.generateDataKey(CONTEXT)
      const codes = new Map<number, string>()
      expect(wrapped.length).toBeGreaterThan(60)
      for (let start = 0; start < wrapped.length * 8; start += 32) {
        const bits = Array.from({ length: Math.min(32, wrapped.length * 8 - start) }, (_, n) => start + n)
        await Promise.all(
          bits.map(async (bit) => {
            const flipped = Buffer.from(wrapped)
            flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
            codes.set(bit, await codeOf(ring.unwrap(flipped, CONTEXT)))
          }),
        )
      }
      expect(codes.size).toBe(wrapped.length * 8)
      // A bit of the key's name may name a key that is not there.
      expect([...codes].filter(([, code]) => code !== 'KEY_REFUSED' && code !== 'KEY_MISSING')).toEqual([])
      expect([...codes.values()].filter((code) => code === 'KEY_REFUSED').length).toBeGreaterThan(codes.size / 2)
    })

    it('refuses what is cut off, longer, or no wrapped key at all', async () => {
      const { wrapped } = await ring.generateDataKey(CONTEXT)
      const malformed = [
        new Uint8Array(),
        Buffer.from([1]),
        wrapped.subarray(0, -1),
        wrapped.subarray(1),
        Buffer.concat([wrapped, Buffer.from([0])]),
        randomBytes(200),
      ]
      for (const bytes of malformed) {
        expect(['KEY_REFUSED', 'KEY_MISSING']).toContain(await codeOf(ring.unwrap(bytes, CONTEXT)))
      }
    })

    it('refuses what another ring has wrapped', async () => {
      const { wrapped } = await (await opened.openOther()).generateDataKey(CONTEXT)
      expect(['KEY_REFUSED', 'KEY_MISSING']).toContain(await codeOf(ring.unwrap(wrapped, CONTEXT)))
    })

    it('takes no context that binds nothing', async () => {
      for (const context of [{}, { a: '' }, { '': 'a' }, { 'aws:reserved': 'a' }, { a: 'x'.repeat(5_000) }]) {
        expect(await codeOf(ring.generateDataKey(context as KeyContext))).toBe('BUG')
      }
    })

    it('opens what was wrapped before a rotation, and wraps under the new key', async () => {
      const before = await ring.generateDataKey(CONTEXT)
      const rotated = await opened.rotate()
      const after = await rotated.generateDataKey(CONTEXT)
      expect(after.keyId).not.toBe(before.keyId)
      expect(Buffer.compare(await rotated.unwrap(before.wrapped, CONTEXT), before.plaintext)).toBe(0)
      expect(Buffer.compare(await rotated.unwrap(after.wrapped, CONTEXT), after.plaintext)).toBe(0)
    })

    it('uses a key no longer once it is disabled, and again once it is enabled', async () => {
      const rotated = await opened.rotate()
      const { keyId, plaintext, wrapped } = await rotated.generateDataKey(CONTEXT)
      await opened.setEnabled(keyId, false)
      expect(await codeOf(rotated.unwrap(wrapped, CONTEXT))).toBe('KEY_REFUSED')
      expect(await codeOf(rotated.generateDataKey(CONTEXT))).toBe('KEY_REFUSED')
      await opened.setEnabled(keyId, true)
      expect(Buffer.compare(await rotated.unwrap(wrapped, CONTEXT), plaintext)).toBe(0)
    })
  })
}
