import { describe, expect, test } from 'vitest'
import { findWalFile, formatLsn, parseLsn, segmentName, segmentNumber, segmentOfLsn } from '#lib/recovery/wal/name.ts'

const MIB = 1 << 20

describe('names of archived files', () => {
  test.each([
    ['000000010000000A000000FF', 'segment', 1],
    ['0000000A0000000000000002.partial', 'partial', 10],
    ['000000010000000000000002.00000028.backup', 'backup', 1],
    ['00000002.history', 'history', 2],
  ])('%s is a %s of timeline %i', (name, kind, timeline) => {
    expect(findWalFile(name)).toMatchObject({ name, kind, timeline })
  })

  test.each([
    '',
    'RECOVERYXLOG',
    '00000001000000000000000a',
    '000000010000000A000000FF.zst',
    '../00000002.history',
    '00000002.history\n',
  ])('%j is none', (name) => expect(findWalFile(name)).toBeUndefined())
})

test('segments follow each other across the end of a log file, for every size', () => {
  expect(segmentName(1, 255, 16 * MIB)).toBe('0000000100000000000000FF')
  expect(segmentName(1, 256, 16 * MIB)).toBe('000000010000000100000000')
  expect(segmentName(3, 4096, MIB)).toBe('000000030000000100000000')
  expect(segmentName(1, 4, 1024 * MIB)).toBe('000000010000000100000000')
  expect(segmentNumber({ log: 1, index: 0 }, 16 * MIB)).toBe(256)
})

test('LSNs are read and written as PostgreSQL does', () => {
  expect(parseLsn('16/B374D848')).toBe(0x16_b374_d848n)
  expect(formatLsn(0x16_b374_d848n)).toBe('16/B374D848')
  expect(formatLsn(0x28n)).toBe('0/28')
  expect(segmentOfLsn(parseLsn('0/2000028'), 16 * MIB)).toBe(2)
  for (const text of ['', '16', '16/', 'G/0', '1/2/3', '000000001/0']) expect(() => parseLsn(text)).toThrow('LSN')
})
