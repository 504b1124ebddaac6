import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { MAX_STATEMENT_BYTES } from '#lib/gate/classify/index.ts'
import { sha256Hex } from '#lib/kernel/index.ts'
import { openDesk, PENDING_MS, requestOf } from './sample-request.ts'

const statement = (index: number) => ({ statementSha256: sha256Hex(`statement ${index}`) })

test('the same statement of the same principal is held once, also for a newer recovery point and by another instance', async () => {
  const { desk, reopen } = openDesk()
  const held = await desk.hold(requestOf())
  expect(await desk.hold(requestOf({ recoveryPoints: ['snap_9'] }))).toEqual(held)
  expect(await reopen().hold(requestOf())).toEqual(held)
  expect((await desk.list({ state: 'pending' })).approvals).toHaveLength(1)
})

test('the same statement held forty times at once on two instances is one approval', async () => {
  const { desk, reopen } = openDesk()
  const desks = [desk, reopen()]
  const held = await Promise.all(Array.from({ length: 40 }, (_, index) => desks[index % 2]?.hold(requestOf())))
  expect(new Set(held.map((approval) => approval?.id)).size).toBe(1)
  expect((await desk.list({})).approvals).toHaveLength(1)
})

test('another principal, agent or policy version gets an approval of its own', async () => {
  const { desk } = openDesk()
  const ids = new Set<string>()
  for (const binding of [{}, { principal: 'b' }, { agentId: 'b' }, { policyVersion: sha256Hex('b') }]) {
    ids.add((await desk.hold(requestOf(binding))).id)
  }
  expect(ids.size).toBe(4)
})

test('after a denial, an expiry or its use a statement is held anew', async () => {
  const { desk, clock } = openDesk()
  const first = await desk.hold(requestOf())
  await desk.decide(first.id, { outcome: 'denied', decidedBy: 'operator' })
  const second = await desk.hold(requestOf())
  clock.advance(PENDING_MS)
  const third = await desk.hold(requestOf())
  await desk.decide(third.id, { outcome: 'approved', decidedBy: 'operator' })
  await desk.claim(third.id, third.binding, 'aud_1')
  const fourth = await desk.hold(requestOf())
  expect(new Set([first.id, second.id, third.id, fourth.id]).size).toBe(4)
  expect((await desk.find(second.id))?.state).toBe('expired')
})

test('a principal has a limited number pending, also when it asks at once, and other principals are not touched', async () => {
  const { desk, reopen } = openDesk({ maxPendingPerPrincipal: 5 })
  const desks = [desk, reopen()]
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => desks[index % 2]?.hold(requestOf(statement(index)))),
  )
  expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(5)
  const refused = results.filter((result) => result.status === 'rejected')
  expect(refused).toHaveLength(15)
  for (const { reason } of refused) {
    expect(reason).toMatchObject({ code: 'RATE_LIMITED', httpStatus: 429, details: { pending: 5, limit: 5 } })
  }
  await expect(desk.hold(requestOf({ principal: 'someone-else' }))).resolves.toMatchObject({ state: 'pending' })
})

test('a decision or an expiry makes room', async () => {
  const { desk, clock } = openDesk({ maxPendingPerPrincipal: 2 })
  const first = await desk.hold(requestOf(statement(1)))
  await desk.hold(requestOf(statement(2)))
  await expect(desk.hold(requestOf(statement(3)))).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  await desk.decide(first.id, { outcome: 'denied', decidedBy: 'operator' })
  await desk.hold(requestOf(statement(3)))
  clock.advance(PENDING_MS)
  await expect(desk.hold(requestOf(statement(4)))).resolves.toMatchObject({ state: 'pending' })
})

const LONGEST: readonly (readonly [string, string])[] = [
  ['of plain letters', 'x'.repeat(MAX_STATEMENT_BYTES)],
  ['of control characters, six bytes each in JSON', '\u0001'.repeat(MAX_STATEMENT_BYTES)],
  ['of quotes and backslashes', '"\\'.repeat(MAX_STATEMENT_BYTES / 2)],
  ['that does not compress', randomBytes(MAX_STATEMENT_BYTES).toString('base64').slice(0, MAX_STATEMENT_BYTES)],
  ['of three-byte characters', '漢'.repeat(Math.floor(MAX_STATEMENT_BYTES / 3))],
  ['with half a surrogate pair', `${'x'.repeat(MAX_STATEMENT_BYTES - 3)}\ud800`],
]

test.each(LONGEST)('the longest statement %s is held, decided and read back', async (_name, text) => {
  expect(Buffer.byteLength(text)).toBeGreaterThanOrEqual(MAX_STATEMENT_BYTES - 1)
  const { desk, reopen } = openDesk()
  const relations = Array.from({ length: 100 }, (_, index) => `${index}:some_schema.some_table_${index}`)
  const { id, binding } = await desk.hold(requestOf({ relations }, { statement: text, agentReason: '"'.repeat(500) }))
  await desk.decide(id, { outcome: 'approved', decidedBy: 'operator', comment: '\n'.repeat(2_000) })
  await desk.claim(id, binding, 'aud_1')
  expect(await reopen().find(id)).toMatchObject({ state: 'consumed', statement: text, binding: { relations } })
})
