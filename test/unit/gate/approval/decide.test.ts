import { expect, test } from 'vitest'
import { openDesk, requestOf, VALID_MS } from './sample-request.ts'

const APPROVE = { outcome: 'approved', decidedBy: 'operator' } as const
const DENY = { outcome: 'denied', decidedBy: 'second-operator' } as const

test('holds a statement with everything an approver is shown, also for another instance', async () => {
  const { desk, reopen } = openDesk()
  const request = requestOf({}, { agentReason: 'clean-up', estimatedRows: 12, maxRows: 12, snapshotAgeSeconds: 3 })
  const held = await desk.hold(request)
  expect(held).toEqual({
    ...request,
    id: expect.stringMatching(/^appr_[0-9a-f]{32}$/),
    state: 'pending',
    createdAt: '2027-01-15T08:00:00.000Z',
    expiresAt: '2027-01-15T08:01:00.000Z',
    version: 1,
  })
  expect(await reopen().find(held.id)).toEqual(held)
})

test('records who decided, when and with what comment, and limits how long the approval may be used', async () => {
  const { desk, clock, reopen } = openDesk()
  const { id } = await desk.hold(requestOf())
  clock.advance(59_000)
  const approved = await desk.decide(id, { ...APPROVE, comment: 'checked with finance' })
  expect(approved).toMatchObject({
    state: 'approved',
    expiresAt: '2027-01-15T08:01:09.000Z',
    decision: {
      outcome: 'approved',
      decidedBy: 'operator',
      decidedAt: '2027-01-15T08:00:59.000Z',
      comment: 'checked with finance',
    },
  })
  expect(await reopen().find(id)).toEqual(approved)
})

test('a second decision gets the first one with its outcome', async () => {
  const { desk } = openDesk()
  const { id } = await desk.hold(requestOf())
  await desk.decide(id, APPROVE)
  await expect(desk.decide(id, DENY)).rejects.toMatchObject({
    code: 'APPROVAL_DECIDED',
    httpStatus: 409,
    details: { outcome: 'approved', decidedBy: 'operator', decidedAt: '2027-01-15T08:00:00.000Z', state: 'approved' },
  })
})

test('a decision that comes too late is told so', async () => {
  const { desk, clock } = openDesk()
  const { id } = await desk.hold(requestOf())
  clock.advance(60_000)
  await expect(desk.decide(id, APPROVE)).rejects.toMatchObject({
    code: 'APPROVAL_DECIDED',
    details: { outcome: 'expired', state: 'expired', decidedAt: '2027-01-15T08:01:00.000Z' },
  })
})

test('of twenty deciders on two instances at once exactly one wins, and every other one learns the outcome', async () => {
  const { desk, reopen } = openDesk()
  const { id } = await desk.hold(requestOf())
  const desks = [desk, reopen()]
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      desks[index % 2]?.decide(id, {
        outcome: index % 3 === 0 ? 'denied' : 'approved',
        decidedBy: `operator-${index}`,
      }),
    ),
  )
  const winners = results.filter((result) => result.status === 'fulfilled')
  expect(winners).toHaveLength(1)
  const final = await desk.find(id)
  const losers = results.filter((result) => result.status === 'rejected')
  expect(losers).toHaveLength(19)
  for (const { reason } of losers) {
    expect(reason).toMatchObject({
      code: 'APPROVAL_DECIDED',
      details: { outcome: final?.decision?.outcome, decidedBy: final?.decision?.decidedBy },
    })
  }
})

test('nobody decides on their own request', async () => {
  const { desk } = openDesk()
  const { id } = await desk.hold(requestOf())
  for (const outcome of ['approved', 'denied'] as const) {
    await expect(desk.decide(id, { outcome, decidedBy: 'agent-token' })).rejects.toMatchObject({
      code: 'APPROVAL_SELF',
    })
  }
  expect((await desk.find(id))?.state).toBe('pending')
})

test('where development mode allows deciding on an own request, every time is told', async () => {
  const warnings: string[] = []
  const { desk } = openDesk({ selfApproval: { warn: (message) => void warnings.push(message) } })
  const { id } = await desk.hold(requestOf())
  await desk.decide(id, { outcome: 'approved', decidedBy: 'agent-token' })
  expect(warnings).toEqual([`agent-token decides on their own request ${id}: development mode only`])
})

test('an id that nobody has is missing', async () => {
  const { desk } = openDesk()
  for (const id of [`appr_${'0'.repeat(32)}`, 'appr_', '../state', '']) {
    await expect(desk.decide(id, APPROVE)).rejects.toMatchObject({ code: 'APPROVAL_MISSING' })
    expect(await desk.find(id)).toBeUndefined()
  }
})

test('refuses a comment that nobody would read', async () => {
  const { desk } = openDesk()
  const { id } = await desk.hold(requestOf())
  await expect(desk.decide(id, { ...APPROVE, comment: 'x'.repeat(2_001) })).rejects.toMatchObject({
    code: 'BODY_INVALID',
  })
})

test('refuses limits that would hold for ever or for no time', () => {
  expect(() => openDesk({ pendingMs: 0 })).toThrow('pendingMs of approvals must be a whole number')
  expect(() => openDesk({ validAfterDecisionMs: Number.POSITIVE_INFINITY })).toThrow('validAfterDecisionMs')
  expect(() => openDesk({ maxPendingPerPrincipal: 501 })).toThrow('maxPendingPerPrincipal')
})

test('an approval that was not used in time expires, however early it was decided', async () => {
  const { desk, clock } = openDesk()
  const { id } = await desk.hold(requestOf())
  await desk.decide(id, APPROVE)
  clock.advance(VALID_MS - 1)
  expect((await desk.find(id))?.state).toBe('approved')
  clock.advance(1)
  expect((await desk.find(id))?.state).toBe('expired')
})
