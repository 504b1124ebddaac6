import { describe, expect, it } from 'vitest'
import { growingDelayMs, planHeartbeat } from '#lib/adapters/aws/work-queue/visibility.ts'

describe('a sign of life to SQS', () => {
  it.each([
    ['for the lease', { leaseS: 60, remainingMs: 900_000, elapsedMs: 0 }, 60],
    ['no longer than the function lives', { leaseS: 60, remainingMs: 12_400, elapsedMs: 0 }, 13],
    ['in a process without an end', { leaseS: 60, remainingMs: Number.POSITIVE_INFINITY, elapsedMs: 0 }, 60],
    ['up to the twelfth hour', { leaseS: 60, remainingMs: 900_000, elapsedMs: 43_170_500 }, 29],
    ['not after the twelfth hour', { leaseS: 60, remainingMs: 900_000, elapsedMs: 43_200_000 }, undefined],
    ['not when the function’s time is up', { leaseS: 60, remainingMs: 0, elapsedMs: 0 }, undefined],
    ['not when it should have ended long ago', { leaseS: 60, remainingMs: -5_000, elapsedMs: 0 }, undefined],
  ])('hides the message %s', (_, limits, seconds) => {
    expect(planHeartbeat(limits)).toBe(seconds)
  })
})

describe('the wait after a failed attempt', () => {
  it('doubles from a second to a quarter of an hour', () => {
    expect([1, 2, 3, 10, 11, 1_000].map(growingDelayMs)).toEqual([1_000, 2_000, 4_000, 512_000, 900_000, 900_000])
  })
})
