import { expect, test } from 'vitest'
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import type { ConductLimits } from '#lib/gate/conduct/index.ts'
import { conductLimitsOf, openConductWatch } from '#lib/gate/conduct/index.ts'
import { defaultPolicy } from '#lib/gate/policy/index.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'

const MINUTE_MS = 60_000

function openWatch(limits: Partial<ConductLimits> = {}) {
  const clock = createFixedClock()
  const store = openSqliteRecordStore({ path: ':memory:', clock })
  const current = { maxAttempts: 3, windowMs: 10 * MINUTE_MS, quarantineMs: 30 * MINUTE_MS, ...limits }
  const reopen = () => openConductWatch({ store, clock, limits: () => current })
  return { clock, store, current, reopen, watch: reopen() }
}

test('the policy names attempts, window and duration', () => {
  expect(conductLimitsOf(defaultPolicy())).toEqual({ maxAttempts: 3, windowMs: 600_000, quarantineMs: 1_800_000 })
})

test('the third attempt in a window begins a quarantine, which another instance and a restart honour', async () => {
  const { watch, reopen } = openWatch()
  expect(await watch.noteAttempt('token-a', 'agent-1')).toBeUndefined()
  expect(await watch.noteAttempt('token-a', 'agent-2')).toBeUndefined()
  expect(await watch.findQuarantine('token-a')).toBeUndefined()
  const quarantine = await watch.noteAttempt('token-a', 'agent-3')
  expect(quarantine).toEqual({
    principal: 'token-a',
    attempts: 3,
    since: '2027-01-15T08:00:00.000Z',
    until: '2027-01-15T08:30:00.000Z',
    lastAgentId: 'agent-3',
  })
  expect(await reopen().findQuarantine('token-a')).toEqual(quarantine)
})

test('a new agent id is the same principal, and another principal is not touched', async () => {
  const { watch } = openWatch({ maxAttempts: 2 })
  await watch.noteAttempt('token-a', 'first-name')
  expect(await watch.noteAttempt('token-a', 'second-name')).toBeDefined()
  expect(await watch.findQuarantine('token-b')).toBeUndefined()
})

test('attempts of a quarantined principal are not counted and do not lengthen it', async () => {
  const { watch, clock } = openWatch({ maxAttempts: 1 })
  const quarantine = await watch.noteAttempt('token-a', 'agent')
  clock.advance(29 * MINUTE_MS)
  expect(await watch.noteAttempt('token-a', 'agent')).toBeUndefined()
  expect(await watch.findQuarantine('token-a')).toEqual(quarantine)
  clock.advance(MINUTE_MS)
  expect(await watch.findQuarantine('token-a')).toBeUndefined()
})

test('the window is fixed: it begins with its first attempt and then starts anew', async () => {
  const { watch, clock } = openWatch()
  await watch.noteAttempt('token-a', 'agent')
  clock.advance(9 * MINUTE_MS)
  await watch.noteAttempt('token-a', 'agent')
  clock.advance(MINUTE_MS)
  expect(await watch.noteAttempt('token-a', 'agent')).toBeUndefined()
  expect(await watch.noteAttempt('token-a', 'agent')).toBeUndefined()
  expect(await watch.noteAttempt('token-a', 'agent')).toMatchObject({ attempts: 3 })
})

test('after a quarantine the count begins anew, also when the window is longer than the quarantine', async () => {
  const { watch, clock } = openWatch({ maxAttempts: 2, windowMs: 60 * MINUTE_MS, quarantineMs: MINUTE_MS })
  await watch.noteAttempt('token-a', 'agent')
  await watch.noteAttempt('token-a', 'agent')
  clock.advance(MINUTE_MS)
  expect(await watch.noteAttempt('token-a', 'agent')).toBeUndefined()
  expect(await watch.noteAttempt('token-a', 'agent')).toMatchObject({ attempts: 2 })
})

test('of twenty attempts at once on two instances none is lost', async () => {
  const { watch, reopen } = openWatch({ maxAttempts: 20 })
  const watches = [watch, reopen()]
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, index) => watches[index % 2]?.noteAttempt('token-a', `agent-${index}`)),
  )
  expect(results.filter((quarantine) => quarantine !== undefined)).toMatchObject([{ attempts: 20 }])
})

test('of twenty attempts at once beyond the limit exactly one begins the quarantine', async () => {
  const { watch } = openWatch()
  const results = await Promise.all(Array.from({ length: 20 }, () => watch.noteAttempt('token-a', 'agent')))
  expect(results.filter((quarantine) => quarantine !== undefined)).toMatchObject([{ attempts: 3 }])
})

test('zero attempts tolerate none: the first one leads to quarantine, as with one', async () => {
  for (const maxAttempts of [0, 1]) {
    const { watch } = openWatch({ maxAttempts })
    expect(await watch.noteAttempt('token-a', 'agent')).toMatchObject({ attempts: 1 })
  }
})

test('a quarantine of zero length is none', async () => {
  const { watch } = openWatch({ quarantineMs: 0 })
  for (let attempt = 0; attempt < 5; attempt++) {
    expect(await watch.noteAttempt('token-a', 'agent')).toBeUndefined()
  }
  expect(await watch.list()).toEqual([])
})

test('in a window of zero length every attempt stands alone', async () => {
  const { watch } = openWatch({ maxAttempts: 2, windowMs: 0 })
  for (let attempt = 0; attempt < 5; attempt++) {
    expect(await watch.noteAttempt('token-a', 'agent')).toBeUndefined()
  }
})

test('a change of the policy counts at the next attempt', async () => {
  const { watch, current } = openWatch()
  await watch.noteAttempt('token-a', 'agent')
  current.maxAttempts = 2
  expect(await watch.noteAttempt('token-a', 'agent')).toBeDefined()
})

test('a release ends the quarantine and the count, may be repeated, and needs no quarantine', async () => {
  const { watch, store } = openWatch({ maxAttempts: 2 })
  await watch.noteAttempt('token-a', 'agent')
  await watch.noteAttempt('token-a', 'agent')
  await watch.release('token-a', 'operator')
  await watch.release('token-a', 'operator')
  await watch.release('nobody', 'operator')
  expect(await watch.findQuarantine('token-a')).toBeUndefined()
  expect(await watch.noteAttempt('token-a', 'agent')).toBeUndefined()
  expect((await store.query({ partition: 'conduct' })).records).toHaveLength(1)
})

test('lists who is quarantined, the longest first', async () => {
  const { watch, clock } = openWatch({ maxAttempts: 1 })
  for (const principal of ['token-c', 'token-a', 'token-b']) {
    await watch.noteAttempt(principal, 'agent')
    clock.advance(MINUTE_MS)
  }
  await watch.release('token-a', 'operator')
  expect((await watch.list()).map((quarantine) => quarantine.principal)).toEqual(['token-c', 'token-b'])
  clock.advance(28 * MINUTE_MS)
  expect((await watch.list()).map((quarantine) => quarantine.principal)).toEqual(['token-b'])
})

test('an attempt that cannot be stored is an error', async () => {
  const { watch, store } = openWatch()
  await store.close()
  await expect(watch.noteAttempt('token-a', 'agent')).rejects.toMatchObject({ code: 'METADATA_UNREACHABLE' })
  await expect(watch.findQuarantine('token-a')).rejects.toMatchObject({ code: 'METADATA_UNREACHABLE' })
})
