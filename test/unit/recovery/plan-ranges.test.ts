/** How a table is cut into ranges of pages. */
import { expect, test } from 'vitest'
import { planRanges } from '#lib/recovery/snapshot/plan-ranges.ts'

const MEBIBYTE = 1_048_576

test('a table becomes ranges of about the wanted size, in order, the last without an end', () => {
  expect(planRanges({ pageCount: 1_000, tableBytes: 96 * MEBIBYTE }, 32 * MEBIBYTE)).toEqual([
    { index: 0, fromPage: 0, toPage: 333 },
    { index: 1, fromPage: 333, toPage: 666 },
    { index: 2, fromPage: 666, toPage: null },
  ])
})

test('a table with few pages and much beside it is cut no finer than its pages', () => {
  expect(planRanges({ pageCount: 3, tableBytes: 10_000 * MEBIBYTE }, MEBIBYTE)).toHaveLength(3)
})

test('an empty table, a small one and one whose size cannot be told are one range', () => {
  const whole = [{ index: 0, fromPage: 0, toPage: null }]
  expect(planRanges({ pageCount: 0, tableBytes: 0 }, MEBIBYTE)).toEqual(whole)
  expect(planRanges({ pageCount: 100, tableBytes: 800_000 }, MEBIBYTE)).toEqual(whole)
  expect(planRanges({ pageCount: 1, tableBytes: 10_000 * MEBIBYTE }, MEBIBYTE)).toEqual(whole)
})

test('a huge table is cut into no more ranges than a manifest should list, and each page is in one of them', () => {
  const pageCount = 2 ** 31 + 12_345
  const ranges = planRanges({ pageCount, tableBytes: pageCount * 8_192 }, 32 * MEBIBYTE)
  expect(ranges).toHaveLength(1_000)
  expect(ranges[0]?.fromPage).toBe(0)
  for (const [index, range] of ranges.entries()) {
    expect(range.index).toBe(index)
    expect(range.toPage).toBe(ranges[index + 1]?.fromPage ?? null)
    expect(range.toPage ?? Number.POSITIVE_INFINITY).toBeGreaterThan(range.fromPage)
  }
})
