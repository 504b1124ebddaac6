import { expect, test } from 'vitest'
import type { ApprovalBinding } from '#lib/gate/approval/index.ts'
import { sha256Hex } from '#lib/kernel/index.ts'
import { bindingOf, openDesk, requestOf, VALID_MS } from './sample-request.ts'

const APPROVE = { outcome: 'approved', decidedBy: 'operator' } as const

test('an approved statement is used once, and shows by which audit event and covered by which recovery points', async () => {
  const { desk, reopen } = openDesk()
  const { id } = await desk.hold(requestOf())
  await desk.decide(id, APPROVE)
  const claim = await desk.claim(id, bindingOf({ recoveryPoints: ['snap_2'] }), 'aud_1')
  expect(claim).toMatchObject({
    ok: true,
    approval: {
      state: 'consumed',
      consumedAt: '2027-01-15T08:00:00.000Z',
      auditId: 'aud_1',
      binding: { recoveryPoints: ['snap_1'] },
      claimedRecoveryPoints: ['snap_2'],
    },
  })
  expect(await reopen().claim(id, bindingOf(), 'aud_2')).toMatchObject({
    ok: false,
    because: 'consumed',
    approval: { auditId: 'aud_1' },
  })
})

test('of twenty claims on two instances at once exactly one gets the use', async () => {
  const { desk, reopen } = openDesk()
  const { id } = await desk.hold(requestOf())
  await desk.decide(id, APPROVE)
  const desks = [desk, reopen()]
  const claims = await Promise.all(
    Array.from({ length: 20 }, (_, index) => desks[index % 2]?.claim(id, bindingOf(), `aud_${index}`)),
  )
  expect(claims.filter((claim) => claim?.ok)).toHaveLength(1)
  expect(claims.filter((claim) => claim?.ok === false && claim.because === 'consumed')).toHaveLength(19)
})

const DIFFERENCES: readonly (readonly [Partial<ApprovalBinding>, readonly string[]])[] = [
  [{ principal: 'other-token' }, ['principal']],
  [{ agentId: 'agent-2' }, ['agent_id']],
  [{ statementSha256: sha256Hex('DROP TABLE orders') }, ['statement']],
  [{ parametersSha256: sha256Hex('[1]') }, ['parameters']],
  [{ database: 'localhost:5432/other' }, ['database']],
  [{ relations: ['16385:public.users'] }, ['relations']],
  [{ functions: ['16400:f():abc'] }, ['functions']],
  [{ policyVersion: sha256Hex('newer policy') }, ['policy_version']],
  [{ functions: ['16400:f():abc'], statementSha256: sha256Hex('x') }, ['statement', 'functions']],
]

test('a claim that differs from what was approved names every field that differs, and leaves the approval as it is', async () => {
  const { desk } = openDesk()
  const { id } = await desk.hold(requestOf())
  await desk.decide(id, APPROVE)
  expect(DIFFERENCES.length).toBeGreaterThanOrEqual(9)
  for (const [changes, fields] of DIFFERENCES) {
    expect(await desk.claim(id, bindingOf(changes), 'aud_1')).toMatchObject({ ok: false, because: 'mismatch', fields })
  }
  expect(await desk.claim(id, bindingOf(), 'aud_1')).toMatchObject({ ok: true })
})

test('the order of bound lists does not matter', async () => {
  const { desk } = openDesk()
  const { id } = await desk.hold(requestOf({ relations: ['1:a.b', '2:a.c'] }))
  await desk.decide(id, APPROVE)
  expect(await desk.claim(id, bindingOf({ relations: ['2:a.c', '1:a.b'] }), 'aud_1')).toMatchObject({ ok: true })
})

test('what is pending, denied or expired gives no use', async () => {
  const { desk, clock } = openDesk()
  const pending = await desk.hold(requestOf())
  expect(await desk.claim(pending.id, bindingOf(), 'aud_1')).toMatchObject({ ok: false, because: 'pending' })
  await desk.decide(pending.id, { outcome: 'denied', decidedBy: 'operator' })
  expect(await desk.claim(pending.id, bindingOf(), 'aud_1')).toMatchObject({ ok: false, because: 'denied' })
  const late = await desk.hold(requestOf())
  await desk.decide(late.id, APPROVE)
  clock.advance(VALID_MS)
  expect(await desk.claim(late.id, bindingOf(), 'aud_1')).toMatchObject({ ok: false, because: 'expired' })
})

test('an approval that nobody has cannot be claimed', async () => {
  const { desk } = openDesk()
  await expect(desk.claim(`appr_${'0'.repeat(32)}`, bindingOf(), 'aud_1')).rejects.toMatchObject({
    code: 'APPROVAL_MISSING',
  })
})

test('finds the open approval of a statement: the pending one, then the approved one, then none', async () => {
  const { desk, reopen } = openDesk()
  expect(await desk.findFor(bindingOf())).toBeUndefined()
  const { id } = await desk.hold(requestOf())
  expect(await desk.findFor(bindingOf({ recoveryPoints: [] }))).toMatchObject({ id, state: 'pending' })
  await desk.decide(id, APPROVE)
  expect(await reopen().findFor(bindingOf())).toMatchObject({ id, state: 'approved' })
  expect(await desk.findFor(bindingOf({ agentId: 'agent-2' }))).toBeUndefined()
  await desk.claim(id, bindingOf(), 'aud_1')
  expect(await desk.findFor(bindingOf())).toBeUndefined()
})

test('an approved statement is found before a pending one of the same binding', async () => {
  const { desk } = openDesk()
  const first = await desk.hold(requestOf())
  await desk.decide(first.id, APPROVE)
  const second = await desk.hold(requestOf())
  expect(second.id).not.toBe(first.id)
  expect(await desk.findFor(bindingOf())).toMatchObject({ id: first.id, state: 'approved' })
})
