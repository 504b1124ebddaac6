import { zstdDecompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { openWal, sealWal } from '#lib/recovery/wal/envelope.ts'

const NAME = '000000010000000000000001'
const CONTENT = Buffer.from(Array.from({ length: 3_000 }, (_, index) => (index * index) % 251))

describe('an archived file', () => {
  test('comes back as it was', async () => {
    expect(Buffer.from((await openWal(NAME, await sealWal(NAME, CONTENT))).content).equals(CONTENT)).toBe(true)
  })

  test('is the same object each time, so that two archivers write the same', async () => {
    expect(Buffer.from(await sealWal(NAME, CONTENT)).equals(await sealWal(NAME, CONTENT))).toBe(true)
  })

  test('begins with a frame that zstd itself passes over', async () => {
    const sealed = Buffer.from(await sealWal(NAME, CONTENT))
    expect(sealed.readUInt32LE(0)).toBe(0x184d2a50)
    expect(zstdDecompressSync(sealed.subarray(8 + sealed.readUInt32LE(4))).equals(CONTENT)).toBe(true)
  })

  test('with any byte changed is refused, or still the very same content; cut at any place it is refused', async () => {
    const sealed = Buffer.from(await sealWal(NAME, CONTENT))
    let refused = 0
    for (let index = 0; index < sealed.length; index++) {
      const changed = Buffer.from(sealed)
      changed[index] = (changed[index] ?? 0) ^ 0x10
      const opened = await openWal(NAME, changed).catch((error: { code: string }) => error.code)
      if (opened === 'WAL_CORRUPT') refused++
      // Bits of zstd's frame header that nobody reads, such as the size of a window.
      else expect(typeof opened === 'object' && Buffer.from(opened.content).equals(CONTENT)).toBe(true)
    }
    expect(refused).toBeGreaterThan(sealed.length - 3)
    expect(sealed.length).toBeGreaterThan(400)
    for (let length = 0; length < sealed.length; length += 7) {
      await expect(openWal(NAME, sealed.subarray(0, length))).rejects.toMatchObject({ code: 'WAL_CORRUPT' })
    }
  })

  test('is refused under another name', async () => {
    await expect(openWal('000000010000000000000002', await sealWal(NAME, CONTENT))).rejects.toThrow('it holds')
  })
})
