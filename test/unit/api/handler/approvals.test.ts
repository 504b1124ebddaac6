import { describe, expect, it } from 'vitest'
import { createApi, DEFAULT_LIMITS } from '#lib/api/index.ts'
import { callApi } from '#test/support/api/call.ts'
import { heldRequest } from '#test/support/api/in-memory-approvals.ts'
import { createInMemoryServices, SETTINGS, TOKENS } from '#test/support/api/in-memory-services.ts'

async function openWithHeld(count = 1, limits = DEFAULT_LIMITS) {
  const services = createInMemoryServices()
  const held = []
  for (let index = 0; index < count; index += 1) {
    held.push(await services.approvals.hold(heldRequest('agent', `DROP TABLE users_${index}`)))
  }
  const id = held[0]?.id ?? ''
  return { services, held, id, api: createApi(services, { ...SETTINGS, limits }) }
}

describe('GET /pending', () => {
  it('is an empty list when nothing waits', async () => {
    const { api } = await openWithHeld(0)
    expect((await callApi(api, 'GET', '/pending', { token: TOKENS.operator })).body).toEqual({ pending: [], count: 0 })
  })

  it('lists everything that waits, over all pages, oldest first', async () => {
    const { api, held } = await openWithHeld(7)
    const { body } = await callApi(api, 'GET', '/pending', { token: TOKENS.operator })
    expect(body.pending.map((item: { id: string }) => item.id)).toEqual(held.map(({ id }) => id))
  })

  it('shows what an approver needs, and marks the agent’s words as a claim', async () => {
    const { api, id } = await openWithHeld()
    const { body } = await callApi(api, 'GET', '/pending', { token: TOKENS.operator })
    expect(body.pending[0]).toMatchObject({
      id,
      query: 'DROP TABLE users_0',
      sql: 'DROP TABLE users_0',
      agent_id: 'agent-1',
      principal: 'agent',
      risk_level: 'CRITICAL',
      operation: 'DROP TABLE',
      schema: 'public',
      table: 'users',
      environment: 'test',
      cluster_id: 'test-cluster',
      snapshot_id: 'snap_00000000000000000000000000000001',
      snapshot_age_seconds: 40,
      agent_reason: 'cleaning up',
      agent_reason_is_claim: true,
    })
    expect(body.pending[0].safety_metadata).toMatchObject({
      policy_reason: 'CRITICAL SQL requires approval',
      estimated_affected_rows: 12,
    })
  })
})

describe('POST /approve and /deny', () => {
  it('approves with an optional comment and tells who and when', async () => {
    const { api, id, services } = await openWithHeld()
    const answer = await callApi(api, 'POST', `/approve/${id}`, {
      token: TOKENS.operator,
      json: { comment: 'checked' },
    })
    expect(answer).toMatchObject({
      status: 200,
      body: {
        status: 'approved',
        approval_id: id,
        decided_at: '2030-01-01T00:00:00.000Z',
        decided_by: 'operator',
        comment: 'checked',
      },
    })
    expect(services.ledger.events).toMatchObject([
      {
        intent: { action: 'approval-decided', principal: 'operator', approvalId: id, facts: { outcome: 'approved' } },
        result: { outcome: 'recorded' },
      },
    ])
  })

  it('denies without a body', async () => {
    const { api, id } = await openWithHeld()
    const answer = await callApi(api, 'POST', `/deny/${id}`, { token: TOKENS.operator })
    expect(answer).toMatchObject({ status: 200, body: { status: 'denied', approval_id: id } })
  })

  it('answers a second decision with 409 and the first one’s outcome', async () => {
    const { api, id } = await openWithHeld()
    await callApi(api, 'POST', `/approve/${id}`, { token: TOKENS.operator })
    const second = await callApi(api, 'POST', `/deny/${id}`, { token: TOKENS.admin })
    expect(second).toMatchObject({
      status: 409,
      body: {
        error: 'approval_decided',
        status: 'approved',
        approval_id: id,
        decided_at: '2030-01-01T00:00:00.000Z',
        decided_by: 'operator',
      },
    })
  })

  it('asks the store only for what can be an id', async () => {
    const { api, services } = await openWithHeld()
    const asked: string[] = []
    services.approvals.find = async (id: string) => void asked.push(id)
    for (const id of ['appr_x', `appr_${'g'.repeat(32)}`, 'x'.repeat(2_000), `appr_${'0'.repeat(32)}%0a`]) {
      expect((await callApi(api, 'GET', `/approvals/${id}`, { token: TOKENS.operator })).status).toBe(404)
    }
    expect(asked).toEqual([])
    expect(services.ledger.events).toEqual([])
  })

  it.each(['appr_unknown', `appr_${'f'.repeat(32)}`, '..%2Fpending', '%00', 'x'.repeat(2_000), '%3Cscript%3E'])(
    'answers 404 to the id %j',
    async (id) => {
      const { api } = await openWithHeld()
      const answer = await callApi(api, 'POST', `/approve/${id}`, { token: TOKENS.operator })
      expect(answer).toMatchObject({ status: 404, body: { error: 'approval ID not found' } })
      expect(answer.text).not.toContain('script')
    },
  )

  it('answers 403 self_approval to the requester', async () => {
    const { api, services } = await openWithHeld()
    const own = await services.approvals.hold(heldRequest('admin', 'DROP TABLE users'))
    const answer = await callApi(api, 'POST', `/approve/${own.id}`, { token: TOKENS.admin })
    expect(answer).toMatchObject({ status: 403, body: { error: 'self_approval', hint: expect.any(String) } })
  })

  it('decides nothing when the ledger cannot write the intent', async () => {
    const { api, id, services } = await openWithHeld()
    services.ledger.isBroken = true
    const answer = await callApi(api, 'POST', `/approve/${id}`, { token: TOKENS.operator })
    expect(answer).toMatchObject({ status: 503, body: { error: 'audit_unavailable' } })
    expect((await services.approvals.find(id))?.state).toBe('pending')
  })

  const badBodies: readonly (readonly [string, string, number])[] = [
    ['{"comment":1}', 'application/json', 400],
    ['{"comment":"x","force":true}', 'application/json', 400],
    ['{"__proto__":{"comment":"x"}}', 'application/json', 400],
    ['[]', 'application/json', 400],
    ['null', 'application/json', 400],
    ['{"comment":', 'application/json', 400],
    ['comment=x', 'application/x-www-form-urlencoded', 415],
    ['{"comment":"x"}', 'text/plain', 415],
    [JSON.stringify({ comment: 'x'.repeat(20_000) }), 'application/json', 413],
  ]
  it.each(badBodies)('refuses the body %.40j as %s', async (body, type, status) => {
    const { api, id, services } = await openWithHeld()
    const answer = await callApi(api, 'POST', `/approve/${id}`, {
      token: TOKENS.operator,
      body,
      headers: [['content-type', type]],
    })
    expect(answer.status).toBe(status)
    expect((await services.approvals.find(id))?.state).toBe('pending')
  })
})

describe('GET /approvals/{id}', () => {
  it('is for the requester and for approval:read; for others it does not exist', async () => {
    const { api, id } = await openWithHeld()
    expect((await callApi(api, 'GET', `/approvals/${id}`, { token: TOKENS.agent })).body.status).toBe('pending')
    expect((await callApi(api, 'GET', `/approvals/${id}`, { token: TOKENS.reader })).status).toBe(200)
    const other = await callApi(api, 'GET', `/approvals/${id}`, { token: TOKENS.bound })
    const missing = await callApi(api, 'GET', '/approvals/appr_x', { token: TOKENS.bound })
    expect([other.status, other.body.error]).toEqual([404, 'approval ID not found'])
    expect([missing.status, missing.body.error]).toEqual([404, 'approval ID not found'])
  })

  it('answers as soon as the decision falls', async () => {
    const { api, id, services } = await openWithHeld()
    const waiting = callApi(api, 'GET', `/approvals/${id}?wait=25`, { token: TOKENS.agent })
    await expect.poll(() => services.approvals.waiterCount).toBe(1)
    await callApi(api, 'POST', `/deny/${id}`, { token: TOKENS.operator, json: { comment: 'no' } })
    expect((await waiting).body).toMatchObject({ status: 'denied', decided_by: 'operator', comment: 'no' })
  })

  it('never lets waiting calls keep others from running', async () => {
    const one = { total: 1, perKey: 1 }
    const { api, id, services } = await openWithHeld(1, {
      ...DEFAULT_LIMITS,
      operations: one,
      waiting: { total: 2, perKey: 2 },
    })
    const waitOnce = () => callApi(api, 'GET', `/approvals/${id}?wait=25`, { token: TOKENS.agent })
    const waiting = [waitOnce()]
    await expect.poll(() => services.approvals.waiterCount).toBe(1)
    waiting.push(waitOnce())
    await expect.poll(() => services.approvals.waiterCount).toBe(2)
    expect((await callApi(api, 'GET', '/pending', { token: TOKENS.operator })).status).toBe(200)
    const third = await waitOnce()
    expect(third).toMatchObject({ status: 429, body: { message: 'too many requests wait for a decision' } })
    await callApi(api, 'POST', `/approve/${id}`, { token: TOKENS.operator })
    expect((await Promise.all(waiting)).map((answer) => answer.body.status)).toEqual(['approved', 'approved'])
  })

  it.each(['26', '-1', '1.5', 'x', '', '1e1'])('refuses to wait %j seconds', async (wait) => {
    const { api, id } = await openWithHeld()
    const answer = await callApi(api, 'GET', `/approvals/${id}?wait=${wait}`, { token: TOKENS.agent })
    expect(answer).toMatchObject({
      status: 400,
      body: { error: 'request_invalid', message: 'wait must be an integer from 0 to 25' },
    })
  })
})

describe('GET /approvals', () => {
  it('pages through approvals by state, newest first', async () => {
    const { api, held, id } = await openWithHeld(5)
    await callApi(api, 'POST', `/approve/${id}`, { token: TOKENS.operator })
    const first = await callApi(api, 'GET', '/approvals?state=pending&limit=3', { token: TOKENS.operator })
    expect(first.body.items.map((item: { id: string }) => item.id)).toEqual([held[4]?.id, held[3]?.id, held[2]?.id])
    const second = await callApi(api, 'GET', `/approvals?state=pending&cursor=${first.body.next_cursor}`, {
      token: TOKENS.operator,
    })
    expect(second.body.items.map((item: { id: string }) => item.id)).toEqual([held[1]?.id])
    expect(second.body.next_cursor).toBe(null)
    expect((await callApi(api, 'GET', '/approvals?state=open', { token: TOKENS.operator })).status).toBe(400)
  })
})
