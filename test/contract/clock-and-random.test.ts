import { describe, expect, it } from 'vitest'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { eventually } from '#test/support/eventually.ts'

describe('clock: the system', () => {
  it('tells the time in whole milliseconds since 1970', () => {
    expect(Number.isInteger(systemClock.nowMs())).toBe(true)
    expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(5_000)
  })

  it('measures durations with a clock that goes on and never back', async () => {
    const startMs = systemClock.monotonicMs()
    await eventually(() => systemClock.monotonicMs() > startMs)
    const readings = Array.from({ length: 1_000 }, () => systemClock.monotonicMs())
    expect(readings).toEqual([...readings].sort((left, right) => left - right))
  })
})

describe('random: the system', () => {
  it('gives as many bytes as asked for, and others each time', () => {
    expect(systemRandom.bytes(0)).toHaveLength(0)
    const seen = new Set(Array.from({ length: 1_000 }, () => Buffer.from(systemRandom.bytes(16)).toString('hex')))
    expect(seen.size).toBe(1_000)
  })
})
