import { describe, expect, it } from 'vitest'
import { FIRST_PART_BYTES, MAX_PARTS, nextPartBytes } from '#lib/adapters/s3/part-size.ts'

const GIB = 2 ** 30
const TIB = 2 ** 40

/** The parts that an upload of so many bytes takes, by the rule. */
function partsFor(sizeBytes: number): { count: number; largestBytes: number } {
  let count = 0
  let sentBytes = 0
  let largestBytes = 0
  while (sentBytes < sizeBytes) {
    largestBytes = nextPartBytes(sentBytes)
    sentBytes += largestBytes
    count++
  }
  return { count, largestBytes }
}

describe('the size of parts', () => {
  it('begins with 8 MiB, more than the 5 MiB that S3 asks for', () => {
    expect(FIRST_PART_BYTES).toBe(8_388_608)
    expect(nextPartBytes(0)).toBe(8_388_608)
  })

  it('reaches 5 TiB within 10,000 parts of at most 5 GiB', () => {
    const { count, largestBytes } = partsFor(5 * TIB)
    expect(MAX_PARTS).toBe(10_000)
    expect(count).toBeLessThanOrEqual(10_000)
    expect(largestBytes).toBeLessThanOrEqual(5 * GIB)
  })

  it('keeps parts small for the sizes that tables have', () => {
    expect(partsFor(GIB).largestBytes).toBeLessThan(10 * 2 ** 20)
    expect(partsFor(100 * GIB).largestBytes).toBeLessThan(73 * 2 ** 20)
    expect(partsFor(TIB).largestBytes).toBeLessThan(664 * 2 ** 20)
  })
})
