import { expect, test } from 'vitest'
import type { RecordStore } from '#lib/ports/index.ts'
import { eventually } from '#test/support/eventually.ts'
import { openDesk, PENDING_MS, requestOf } from './sample-request.ts'

const LONG_MS = 60_000

test('a decision of this process wakes the one who waits, without another look at the clock', async () => {
  const { desk } = openDesk({ pollIntervalMs: 60_000 })
  const { id } = await desk.hold(requestOf())
  const waiting = desk.wait(id, LONG_MS)
  await desk.decide(id, { outcome: 'approved', decidedBy: 'operator' })
  expect(await waiting).toMatchObject({ state: 'approved' })
})

test('a decision of another instance is seen by polling', async () => {
  const { desk, reopen } = openDesk()
  const { id } = await desk.hold(requestOf())
  const waiting = desk.wait(id, LONG_MS)
  await reopen().decide(id, { outcome: 'denied', decidedBy: 'operator' })
  expect(await waiting).toMatchObject({ state: 'denied' })
})

test('an expiry ends the wait', async () => {
  const { desk, clock } = openDesk()
  const { id } = await desk.hold(requestOf())
  const waiting = desk.wait(id, LONG_MS)
  clock.advance(PENDING_MS)
  expect(await waiting).toMatchObject({ state: 'expired' })
})

test('when the time is over the state is what it is', async () => {
  const { desk } = openDesk()
  const { id } = await desk.hold(requestOf())
  expect(await desk.wait(id, 0)).toMatchObject({ state: 'pending' })
  expect(await desk.wait(id, 20)).toMatchObject({ state: 'pending' })
  expect(await desk.wait(id, Number.NEGATIVE_INFINITY)).toMatchObject({ state: 'pending' })
})

test('a caller that goes away ends the wait', async () => {
  const { desk } = openDesk({ pollIntervalMs: 60_000 })
  const { id } = await desk.hold(requestOf())
  const caller = new AbortController()
  const waiting = desk.wait(id, LONG_MS, caller.signal)
  caller.abort()
  expect(await waiting).toMatchObject({ state: 'pending' })
  expect(await desk.wait(id, LONG_MS, AbortSignal.abort())).toMatchObject({ state: 'pending' })
})

test('many wait for one decision', async () => {
  const { desk } = openDesk({ pollIntervalMs: 60_000 })
  const { id } = await desk.hold(requestOf())
  const waiting = Array.from({ length: 50 }, () => desk.wait(id, LONG_MS))
  await desk.decide(id, { outcome: 'approved', decidedBy: 'operator' })
  const states = new Set((await Promise.all(waiting)).map((approval) => approval.state))
  expect([...states]).toEqual(['approved'])
})

test('a store that fails ends the wait with its error', async () => {
  let isBroken = false
  const { store, reopen } = openDesk()
  const broken: RecordStore = {
    ...{ query: (query) => store.query(query), write: (write) => store.write(write) },
    transact: (writes, token) => store.transact(writes, token),
    find: (key) => (isBroken ? Promise.reject(new Error('gone')) : store.find(key)),
  }
  const desk = reopen({ store: broken })
  const { id } = await desk.hold(requestOf())
  const waiting = desk.wait(id, LONG_MS).catch((error: Error) => error.message)
  isBroken = true
  expect(await eventually(() => waiting)).toBe('gone')
})

test('waiting for what nobody has is refused', async () => {
  const { desk } = openDesk()
  await expect(desk.wait('appr_00', 10)).rejects.toMatchObject({ code: 'APPROVAL_MISSING' })
})
