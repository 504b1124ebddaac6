import { expect, test } from 'vitest'
import { z } from 'zod'
import { decodeSealed, encodeSealed } from '#lib/recovery/backup/sealed.ts'

const schema = z.object({ name: z.string(), sizeBytes: z.number() })

test('gives back what was sealed', () => {
  expect(decodeSealed(encodeSealed({ sizeBytes: 3, name: 'a' }), schema)).toEqual({ name: 'a', sizeBytes: 3 })
})

test('refuses any changed byte', () => {
  const bytes = Buffer.from(encodeSealed({ name: 'a', sizeBytes: 3 }))
  let refused = 0
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes)
    changed[index] = (changed[index] ?? 0) ^ 1
    expect(() => decodeSealed(changed, schema)).toThrow(/manifest/)
    refused++
  }
  expect(refused).toBe(bytes.length)
})

test('refuses another form, sealed as it may be', () => {
  expect(() => decodeSealed(encodeSealed({ name: 'a' }), schema)).toThrow('"sizeBytes" is missing or malformed')
  expect(() => decodeSealed(Buffer.from('[]'), schema)).toThrow('not a JSON object')
})
