/** Whether a run may believe the clock. */
import { expect, test } from 'vitest'
import type { Instant } from '#lib/kernel/index.ts'
import { judgeClock } from '#lib/recovery/retention/index.ts'

const at = (text: string) => `2027-${text}:00:00.000Z` as Instant
const ms = (text: string) => Date.parse(at(text))

test('a run a day after the last one goes on; the first one goes by the newest point', () => {
  expect(judgeClock({ runAt: at('01-01T00') }, undefined, ms('01-02T00'))).toEqual({
    isTrusted: true,
    state: { runAt: at('01-02T00') },
  })
  expect(judgeClock({}, at('01-01T23'), ms('01-02T00')).isTrusted).toBe(true)
  expect(judgeClock({}, undefined, ms('01-02T00')).isTrusted).toBe(true)
})

test('a clock that jumps ahead is believed when it has gone on from there for most of a day', () => {
  const first = judgeClock({ runAt: at('01-01T00') }, undefined, ms('06-01T00'))
  expect(first).toMatchObject({ isTrusted: false, state: { runAt: at('01-01T00'), doubtedSince: at('06-01T00') } })
  expect(first.reason).toMatch(/3624 hours from the last run/)
  const second = judgeClock(first.state, undefined, ms('06-01T19'))
  expect(second).toMatchObject({ isTrusted: false, state: { doubtedSince: at('06-01T00') } })
  expect(judgeClock(second.state, undefined, ms('06-01T20'))).toEqual({
    isTrusted: true,
    state: { runAt: at('06-01T20') },
  })
})

test('a clock that comes back from its jump has lost nothing and waits for nothing', () => {
  const jumped = judgeClock({ runAt: at('01-01T00') }, undefined, ms('06-01T00'))
  expect(judgeClock(jumped.state, undefined, ms('01-02T00')).isTrusted).toBe(true)
})

test('a clock that is set back is doubted, and so is one that jumps a second time', () => {
  const back = judgeClock({ runAt: at('06-01T00') }, undefined, ms('01-01T00'))
  expect(back).toMatchObject({ isTrusted: false, state: { doubtedSince: at('01-01T00') } })
  expect(judgeClock(back.state, undefined, ms('03-01T00'))).toMatchObject({
    isTrusted: false,
    state: { doubtedSince: at('03-01T00') },
  })
})
