import { describe, expect, it } from 'vitest'
import { createApi, DEFAULT_LIMITS, LOOPBACK_HOSTS } from '#lib/api/index.ts'
import { callApi } from '#test/support/api/call.ts'
import { createInMemoryServices, SETTINGS, TOKENS } from '#test/support/api/in-memory-services.ts'

const open = (over: Partial<typeof SETTINGS> = {}, isDevMode = false) => {
  const services = createInMemoryServices(undefined, isDevMode)
  return { services, api: createApi(services, { ...SETTINGS, isDevMode, ...over }) }
}

describe('GET /health', () => {
  it('answers without a token and with a valid one', async () => {
    const { api } = open()
    const answer = await callApi(api, 'GET', '/health')
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      status: 'ok',
      service: 'backstop-gateway',
      version: '1.2.3',
      time: '2030-01-01T00:00:00.000Z',
    })
    expect((await callApi(api, 'GET', '/health', { token: TOKENS.agent })).status).toBe(200)
  })

  it('answers 401 to a credential that is wrong, and says what is wrong with it', async () => {
    const { api } = open()
    const basic = await callApi(api, 'GET', '/health', { headers: [['authorization', 'Basic abc']] })
    expect(basic).toMatchObject({
      status: 401,
      body: { error: 'unauthorized', message: expect.stringContaining('Bearer') },
    })
    const unknown = await callApi(api, 'GET', '/health', { token: 'not-a-token-of-this-gateway' })
    expect(unknown).toMatchObject({ status: 401, body: { message: 'The token is not known.' } })
    expect(unknown.headers['www-authenticate']).toBe('Bearer realm="backstop"')
  })

  it('answers 200 to dev-token in dev mode alone', async () => {
    expect((await callApi(open().api, 'GET', '/health', { token: 'dev-token' })).status).toBe(401)
    expect((await callApi(open({}, true).api, 'GET', '/health', { token: 'dev-token' })).status).toBe(200)
  })
})

describe('every route', () => {
  const guarded = [
    ['GET', '/pending', TOKENS.agent, 'approval:read'],
    ['GET', '/approvals', TOKENS.agent, 'approval:read'],
    ['POST', '/approve/appr_1', TOKENS.reader, 'approval:write'],
    ['POST', '/deny/appr_1', TOKENS.agent, 'approval:write'],
    ['GET', '/metadata/snapshots', TOKENS.agent, 'metadata:read'],
    ['GET', '/metadata/sets', TOKENS.agent, 'metadata:read'],
    ['GET', '/metadata/audit', TOKENS.agent, 'metadata:read'],
    ['GET', '/metadata/alerts', TOKENS.agent, 'metadata:read'],
    ['GET', '/metadata/health', TOKENS.agent, 'metadata:read'],
    ['GET', '/metrics', TOKENS.operator, 'metrics:read'],
    ['POST', '/admin/pause', TOKENS.operator, 'admin:*'],
    ['POST', '/admin/resume', TOKENS.operator, 'admin:*'],
    ['GET', '/admin/status', TOKENS.operator, 'admin:*'],
    ['POST', '/admin/snapshot?table=users', TOKENS.operator, 'admin:*'],
    ['POST', '/admin/quarantine/agent/release', TOKENS.operator, 'admin:*'],
    ['POST', '/admin/alerts/test', TOKENS.operator, 'admin:*'],
  ] as const

  it.each(guarded)('%s %s wants a token', async (method, path) => {
    const answer = await callApi(open().api, method, path)
    expect(answer.status).toBe(401)
    expect(answer.body).toEqual({
      error: 'unauthorized',
      message: 'The request carries no token.',
      hint: expect.any(String),
      correlation_id: answer.headers['x-correlation-id'],
    })
  })

  it.each(guarded)(
    '%s %s names the scope that a token lacks, in exactly three fields',
    async (method, path, token, scope) => {
      const answer = await callApi(open().api, method, path, { token })
      expect(answer.status).toBe(403)
      expect(answer.text).toBe(
        `{"error":"insufficient_scope","message":"Token does not have ${scope} scope","required_scope":"${scope}"}`,
      )
    },
  )

  it.each(['HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'get', 'FOO'])(
    'answers 405 with Allow to %s',
    async (method) => {
      const answer = await callApi(open().api, method, '/pending', { token: TOKENS.operator })
      expect(answer).toMatchObject({ status: 405, body: { error: 'method_not_allowed' } })
      expect(answer.headers['allow']).toBe('GET')
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    },
  )

  it('answers 404 where there is nothing', async () => {
    for (const path of ['/nope', '//', '/health/', '/approve/a/b']) {
      expect((await callApi(open().api, 'GET', path)).status).toBe(404)
    }
  })

  it('takes the token from X-Backstop-Token, and refuses two that disagree', async () => {
    const { api } = open()
    const header = ['x-backstop-token', TOKENS.operator] as const
    expect((await callApi(api, 'GET', '/pending', { headers: [header] })).status).toBe(200)
    expect((await callApi(api, 'GET', '/pending', { token: TOKENS.operator, headers: [header] })).status).toBe(200)
    expect((await callApi(api, 'GET', '/pending', { token: TOKENS.admin, headers: [header] })).status).toBe(401)
  })
})

describe('every answer', () => {
  it('carries the security headers, and transport security under TLS alone', async () => {
    const { api } = open()
    for (const path of ['/health', '/pending', '/nope']) {
      const { headers } = await callApi(api, 'GET', path)
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      })
      expect(headers['strict-transport-security']).toBe(undefined)
    }
    expect((await callApi(api, 'GET', '/health', { isTls: true })).headers['strict-transport-security']).toMatch(
      /max-age/,
    )
  })

  it('echoes a correlation id that is one plain word', async () => {
    const { api } = open()
    const echoed = await callApi(api, 'GET', '/health', { headers: [['x-correlation-id', 'job-17.a_b']] })
    expect(echoed.headers['x-correlation-id']).toBe('job-17.a_b')
  })

  it.each(['a b', 'a\r\nset-cookie: x=1', '', 'x'.repeat(129), 'ä', '<script>'])(
    'replaces the correlation id %j',
    async (id) => {
      const answer = await callApi(open().api, 'GET', '/health', { headers: [['x-correlation-id', id]] })
      expect(answer.headers['x-correlation-id']).toMatch(/^req_[0-9a-f]{32}$/)
    },
  )

  it('shows nothing of a defect, and reports it', async () => {
    const { api, services } = open()
    services.approvals.list = async () => {
      throw new Error('postgres://admin:secret@db/prod')
    }
    const answer = await callApi(api, 'GET', '/pending', { token: TOKENS.operator })
    expect(answer.status).toBe(500)
    expect(answer.body).toMatchObject({ error: 'bug', message: 'internal error' })
    expect(answer.text).not.toContain('secret')
    expect(services.defects).toEqual([
      {
        error: expect.objectContaining({ message: expect.stringContaining('secret') }),
        correlationId: answer.headers['x-correlation-id'],
      },
    ])
  })

  it('is counted by route and status', async () => {
    const { api, services } = open()
    await callApi(api, 'GET', '/health')
    await callApi(api, 'GET', '/nope')
    await callApi(api, 'GET', '/pending', { token: TOKENS.agent })
    const text = await services.metrics.render()
    expect(text).toContain('backstop_http_requests_total{route="readHealth",status="200"} 1')
    expect(text).toContain('backstop_http_requests_total{route="none",status="404"} 1')
    expect(text).toContain('backstop_http_requests_total{route="listPending",status="403"} 1')
    expect(text).toContain('backstop_gateway_blocks_total{reason="auth_forbidden"} 1')
  })
})

describe('host names', () => {
  const { api } = open({ allowedHosts: [...LOOPBACK_HOSTS, 'Gate.Internal'] })

  it.each(['localhost', 'localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'LOCALHOST', 'gate.internal:1'])(
    'answers %s',
    async (host) => {
      expect((await callApi(api, 'GET', '/health', { headers: [['host', host]] })).status).toBe(200)
    },
  )

  it.each([
    'evil.example',
    'localhost.evil.example',
    'localhost:8080@evil.example',
    '',
    '127.0.0.1.nip.io',
    'localhost:x',
    '[::1',
  ])('refuses %j', async (host) => {
    const answer = await callApi(api, 'GET', '/health', { headers: [['host', host]] })
    expect(answer).toMatchObject({ status: 403, body: { error: 'host_not_allowed' } })
  })

  it('refuses a missing and a doubled Host header', async () => {
    expect((await callApi(api, 'GET', '/health')).status).toBe(403)
    const twice = [
      ['host', 'localhost'],
      ['host', 'evil.example'],
    ] as const
    expect((await callApi(api, 'GET', '/health', { headers: twice })).status).toBe(403)
  })
})

describe('limits', () => {
  it('answers 429 with Retry-After beyond a principal’s rate, and leaves others alone', async () => {
    const { api } = open({ limits: { ...DEFAULT_LIMITS, rate: { perSecond: 0.001, burst: 2 } } })
    const statuses: number[] = []
    for (let index = 0; index < 3; index += 1) {
      statuses.push((await callApi(api, 'GET', '/pending', { token: TOKENS.operator })).status)
    }
    expect(statuses).toEqual([200, 200, 429])
    const refused = await callApi(api, 'GET', '/pending', { token: TOKENS.operator })
    expect(refused.body).toMatchObject({ error: 'rate_limited', message: 'too many requests' })
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect((await callApi(api, 'GET', '/pending', { token: TOKENS.admin })).status).toBe(200)
  })

  it('limits failed authentications per address, and lets valid tokens through from the same one', async () => {
    const { api, services } = open({ limits: { ...DEFAULT_LIMITS, failures: { perSecond: 0.001, burst: 2 } } })
    const statuses: number[] = []
    for (let index = 0; index < 4; index += 1) statuses.push((await callApi(api, 'GET', '/pending')).status)
    expect(statuses).toEqual([401, 401, 429, 429])
    expect((await callApi(api, 'GET', '/pending', { remoteAddress: '192.0.2.2' })).status).toBe(401)
    expect((await callApi(api, 'GET', '/pending', { token: TOKENS.operator })).status).toBe(200)
    expect(services.ledger.events).toEqual([])
    expect(await services.metrics.render()).toContain('backstop_gateway_blocks_total{reason="auth_unauthorized"} 5')
  })
})

describe('routes opened to anonymous callers', () => {
  it('answers them without a token, and still refuses a wrong one', async () => {
    const { api } = open({ anonymousRoutes: ['readMetrics'] })
    const answer = await callApi(api, 'GET', '/metrics')
    expect(answer.status).toBe(200)
    expect(answer.text).toContain('backstop_query_duration')
    expect((await callApi(api, 'GET', '/metrics', { token: 'wrong' })).status).toBe(401)
    expect((await callApi(api, 'GET', '/metrics', { token: TOKENS.agent })).status).toBe(200)
    expect((await callApi(api, 'GET', '/metadata/health')).status).toBe(401)
  })
})

describe('drain', () => {
  it('answers new requests with 503 and ends waits with the state as it is', async () => {
    const { api, services } = open()
    await callApi(api, 'POST', '/', {
      token: TOKENS.agent,
      json: {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'execute_query', arguments: { query: 'DROP TABLE users', agent_id: 'a' } },
      },
    })
    const [id] = services.approvals.byId.keys()
    const waiting = callApi(api, 'GET', `/approvals/${id}?wait=25`, { token: TOKENS.agent })
    await expect.poll(() => services.approvals.waiterCount).toBe(1)
    api.drain()
    expect(await waiting).toMatchObject({ status: 200, body: { status: 'pending' } })
    const late = await callApi(api, 'GET', '/health')
    expect(late).toMatchObject({ status: 503, body: { error: 'shutting_down' } })
    expect(late.headers['retry-after']).toBe('1')
  })
})
