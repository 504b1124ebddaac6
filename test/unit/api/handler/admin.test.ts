import { describe, expect, it } from 'vitest'
import { createApi } from '#lib/api/index.ts'
import type { CallOptions } from '#test/support/api/call.ts'
import { callApi } from '#test/support/api/call.ts'
import { createInMemoryServices, SETTINGS, TOKENS } from '#test/support/api/in-memory-services.ts'

function open() {
  const services = createInMemoryServices()
  const api = createApi(services, SETTINGS)
  const call = (method: string, path: string, options: CallOptions = {}) =>
    callApi(api, method, path, { token: TOKENS.admin, ...options })
  return { services, call }
}

describe('POST /admin/pause', () => {
  it('pauses with a reason, and resumes', async () => {
    const { call, services } = open()
    const paused = await call('POST', '/admin/pause', { json: { reason: 'agent gone wild', pause_blocks_safe: true } })
    expect(paused.body).toEqual({
      status: 'emergency_paused',
      pause: {
        paused: true,
        reason: 'agent gone wild',
        updated_at: '2030-01-01T00:00:00.000Z',
        updated_by: 'admin',
        pause_blocks_safe: true,
      },
    })
    const resumed = await call('POST', '/admin/resume')
    expect(resumed.body).toMatchObject({
      status: 'emergency_resumed',
      pause: { paused: false, reason: 'manual emergency resume' },
    })
    expect(services.ledger.events.map(({ intent }) => intent.action)).toEqual(['paused', 'resumed'])
  })

  it.each(['', '{bad', 'reason=x', '{"reason":1}', '{"unknown":1}', '[]'])(
    'pauses whatever the body %j says',
    async (body) => {
      const { call, services } = open()
      const answer = await call('POST', '/admin/pause', { body })
      expect(answer).toMatchObject({ status: 200, body: { pause: { paused: true, reason: 'manual emergency pause' } } })
      expect(answer.body.warning === undefined).toBe(body === '')
      expect((await services.pause.read()).paused).toBe(true)
    },
  )

  it('pauses although the ledger is out of reach, and says that it was not recorded', async () => {
    const { call, services } = open()
    services.ledger.isBroken = true
    const answer = await call('POST', '/admin/pause')
    expect(answer).toMatchObject({
      status: 200,
      body: { pause: { paused: true }, warning: expect.stringContaining('could not record') },
    })
  })

  it('does not resume when the ledger is out of reach', async () => {
    const { call, services } = open()
    await call('POST', '/admin/pause')
    services.ledger.isBroken = true
    expect((await call('POST', '/admin/resume')).status).toBe(503)
    expect((await services.pause.read()).paused).toBe(true)
  })
})

describe('GET /admin/status', () => {
  it('shows the policy in force with the environment’s overrides applied', async () => {
    const { body } = await open().call('GET', '/admin/status')
    expect(body.policy).toMatchObject({
      actions: { SAFE: 'execute', LOW: 'execute', HIGH: 'execute', IMPACT_CRITICAL: 'approve', CRITICAL: 'approve' },
      level_overrides: { HIGH: 'execute' },
      block_operations: ['DROP DATABASE', 'DROP SCHEMA'],
      max_snapshot_age_seconds: 300,
    })
    expect(body).toMatchObject({
      environment: 'test',
      dev_mode: false,
      pause: { paused: false },
      quarantines: [{ principal: 'agent' }],
    })
  })

  it('lists tokens by id and scope, without token or digest', async () => {
    const { text, body } = await open().call('GET', '/admin/status')
    expect(body.tokens).toHaveLength(6)
    expect(body.tokens[1]).toEqual({
      id: 'bound',
      scopes: ['query:*'],
      agent_ids: ['billing-bot'],
      description: null,
      expires_at: null,
    })
    for (const token of Object.values(TOKENS)) expect(text).not.toContain(token)
    expect(text).not.toMatch(/sha256|digest/)
  })
})

describe('POST /admin/snapshot', () => {
  it('takes a recovery point of the table and records it', async () => {
    const { call, services } = open()
    const answer = await call('POST', '/admin/snapshot?table=users')
    expect(answer.body).toMatchObject({ table: 'users', schema: 'public', status: 'valid' })
    expect(services.ledger.events).toMatchObject([
      { intent: { action: 'snapshot', facts: { schema: 'public', table: 'users' } } },
    ])
    expect((await call('POST', '/admin/snapshot')).status).toBe(400)
  })
})

describe('POST /admin/quarantine/{principal}/release', () => {
  it('releases the principal of the path', async () => {
    const { call, services } = open()
    const answer = await call('POST', '/admin/quarantine/agent%40ci/release')
    expect(answer).toMatchObject({ status: 200, body: { status: 'released', principal: 'agent@ci' } })
    expect(services.released).toEqual(['agent@ci'])
  })
})
