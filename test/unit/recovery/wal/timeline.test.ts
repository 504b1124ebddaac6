import { describe, expect, test } from 'vitest'
import { parseLsn, parseWalName, segmentName } from '#lib/recovery/wal/name.ts'
import { findGaps, parseHistory } from '#lib/recovery/wal/timeline.ts'

const SIZE = 16 << 20
const files = (timeline: number, ...numbers: number[]) =>
  numbers.map((number) => parseWalName(segmentName(timeline, number, SIZE)))

test('the last line of a history is the direct parent', () => {
  const text = '1\t0/3000000\tno recovery target specified\n\n2\t0/6000060\tbefore 2026-11-21 03:00:00+00\n'
  expect(parseHistory(text)).toEqual({ parent: 2, lsn: 0x600_0060n })
  expect(parseHistory('# nothing\n')).toBeUndefined()
})

describe('gaps', () => {
  test('there are none in a row, in whatever order it is listed', () => {
    const { gaps, timelines } = findGaps(files(1, 4, 2, 3), new Map(), SIZE)
    expect(gaps).toEqual([])
    expect(timelines).toMatchObject([{ timeline: 1, segmentCount: 3, first: '000000010000000000000002' }])
  })

  test('a partial segment does not close one', () => {
    const partial = parseWalName(`${segmentName(1, 3, SIZE)}.partial`)
    expect(findGaps([...files(1, 2, 4), partial], new Map(), SIZE).gaps).toEqual([
      { timeline: 1, first: segmentName(1, 3, SIZE), last: segmentName(1, 3, SIZE), count: 1 },
    ])
  })

  const branch = new Map([[2, { parent: 1, lsn: parseLsn('0/6000060') }]])

  test('a timeline begins with the segment in which it left its parent, and the parent reaches up to it', () => {
    expect(findGaps([...files(1, 3, 4, 5), ...files(2, 6, 7)], branch, SIZE).gaps).toEqual([])
    expect(findGaps([...files(1, 3, 4, 5, 6, 7, 8), ...files(2, 6, 7)], branch, SIZE).gaps).toEqual([])
  })

  test('a missing beginning, and a parent that ends too early, are gaps', () => {
    expect(findGaps([...files(1, 3, 4), ...files(2, 8)], branch, SIZE).gaps).toEqual([
      { timeline: 2, first: segmentName(2, 6, SIZE), last: segmentName(2, 7, SIZE), count: 2 },
      { timeline: 1, first: segmentName(1, 5, SIZE), last: segmentName(1, 5, SIZE), count: 1 },
    ])
  })
})
