import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { addMasterKey, createSecretKeyRing } from '#lib/adapters/embedded/index.ts'
import { systemRandom } from '#lib/adapters/system/index.ts'
import type { Secrets } from '#lib/ports/index.ts'
import { keyRingContract } from './key-ring.ts'

const SECRET = 'BACKSTOP_KEYS'

function openRing(text: () => string | undefined) {
  const secrets: Secrets = { find: async () => text(), get: async () => text() ?? '' }
  return createSecretKeyRing({ secrets, secretName: SECRET, random: systemRandom })
}

keyRingContract('keys in a secret', async () => {
  let text = addMasterKey(undefined, 'first', randomBytes(32))
  let count = 1
  const ring = openRing(() => text)
  return {
    ring,
    rotate: async () => {
      text = addMasterKey(text, `key-${++count}`, randomBytes(32))
      return ring
    },
    setEnabled: async (keyId, isEnabled) => {
      text = JSON.stringify({ ...JSON.parse(text), disabled: isEnabled ? [] : [keyId] })
    },
    openOther: async () => {
      const other = addMasterKey(undefined, 'first', randomBytes(32))
      return openRing(() => other)
    },
    close: async () => {},
  }
})

describe('the secret itself', () => {
  it('is needed', async () => {
    await expect(openRing(() => undefined).generateDataKey({ a: '1' })).rejects.toMatchObject({ code: 'KEY_MISSING' })
  })

  it.each([
    ['no JSON', 'hidden-word'],
    ['no keys', '{"current":"a"}'],
    ['a current key that is not there', '{"current":"b","keys":{}}'],
    ['a short key', '{"current":"a","keys":{"a":"aGlkZGVuLXdvcmQ="}}'],
    ['a malformed id', `{"current":"a/b","keys":{"a/b":"${Buffer.alloc(32).toString('base64')}"}}`],
  ])('with %s is refused, and not shown', async (_, text) => {
    const failed = openRing(() => text).generateDataKey({ a: '1' })
    const error = await failed.then(
      () => expect.unreachable(),
      (thrown: Error) => thrown,
    )
    expect(error).toMatchObject({ code: 'KEY_MISSING' })
    expect(error.message).toContain(SECRET)
    expect(error.message).not.toMatch(/hidden-word|aGlkZGVu/)
  })

  it('gets a key only under a new id and of 32 bytes', () => {
    const text = addMasterKey(undefined, 'a', randomBytes(32))
    for (const add of [
      () => addMasterKey(text, 'a', randomBytes(32)),
      () => addMasterKey(text, 'b', randomBytes(16)),
      () => addMasterKey(text, '../b', randomBytes(32)),
      () => addMasterKey('nonsense', 'b', randomBytes(32)),
    ]) {
      expect(add).toThrow(expect.objectContaining({ code: 'KEY_REFUSED' }))
    }
  })
})
