import { describe, expect, test } from 'vitest'
import { describeProgress, formatBytes, formatDuration, openProgress } from '#lib/cli/terminal/index.ts'

describe('progress', () => {
  test('tells of bytes so far and the rate where the total is not known', () => {
    const step = { label: 'dumped', done: 3_145_728, total: 0, unit: 'bytes' }
    expect(describeProgress(step, 500)).toBe('dumped 3.0 MiB')
    expect(describeProgress(step, 3_000)).toBe('dumped 3.0 MiB, 1.0 MiB/s')
  })

  test('tells how much, how fast and how long still', () => {
    const step = { label: 'load', done: 1_500, total: 6_000, unit: 'rows' }
    expect(describeProgress(step, 3_000)).toBe('load 1,500 of 6,000 rows (25%), 500 rows/s, 9s left')
  })

  test('gives no rate before a second has passed', () => {
    const step = { label: 'verify', done: 1_048_576, total: 4_194_304, unit: 'bytes' }
    expect(describeProgress(step, 400)).toBe('verify 1.0 MiB of 4.0 MiB (25%)')
  })

  test('redraws one line, not too often, and leaves it empty', () => {
    let nowMs = 0
    const written: string[] = []
    const stream = { write: (text: string) => written.push(text) > 0, once: () => {} }
    const progress = openProgress(stream, () => nowMs)
    progress.update({ label: 'load', done: 1, total: 10, unit: 'rows' })
    progress.update({ label: 'load', done: 2, total: 10, unit: 'rows' })
    nowMs = 150
    progress.update({ label: 'load', done: 3, total: 10, unit: 'rows' })
    progress.clear()
    progress.clear()
    const line = (text: string) => `\r\u001b[2K${text}`
    expect(written).toEqual([line('load 1 of 10 rows (10%)'), line('load 3 of 10 rows (30%)'), line('')])
  })
})

test.each([
  [0, '0 B'],
  [1_023, '1023 B'],
  [1_536, '1.5 KiB'],
  [5 * 1_024 ** 3, '5.0 GiB'],
])('%i bytes are %s', (sizeBytes, text) => {
  expect(formatBytes(sizeBytes)).toBe(text)
})

test.each([
  [-5, '0s'],
  [8_400, '8s'],
  [300_000, '5 min'],
  [10_800_000, '3 h'],
  [864_000_000, '10 d'],
])('%i ms are %s', (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text)
})
