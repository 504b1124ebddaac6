/** Events of API Gateway, good and hostile, through the functions' chain to the API. */
import { describe, expect, it } from 'vitest'
import { httpFunction } from '#functions/shared/http/serve.ts'
import { encodeVerdict } from '#functions/shared/http/verdict.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import { createInMemoryServices, SETTINGS } from '#test/support/api/in-memory-services.ts'
import { type CallShape, httpApiEvent, lambdaContext, restEvent } from '#test/support/functions/event.ts'

const principal = (name: string, ...scopes: string[]) =>
  encodeVerdict({ verdict: 'principal', principal: { name, scopes, agentIds: [] } })
const AGENT = principal('agent', 'query:execute', 'query:analyze')
const OPERATOR = principal('operator', 'approval:*', 'metadata:read')
const JSON_TYPE = { 'Content-Type': 'application/json' }
const call = (name: string, args: object) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } })
const SELECT = call('execute_query', { query: 'SELECT 1', agent_id: 'bot' })

type Part = 'gate.query' | 'gate.approve' | 'gate.inspect' | 'gate.administer'

function serve(servedBy: Part) {
  const services = createInMemoryServices()
  const handler = httpFunction(servedBy, async () => ({ services, settings: SETTINGS }))
  const send = async (event: unknown) => {
    const result = (await handler(event, lambdaContext())) as {
      statusCode: number
      headers: Record<string, string>
      body: string
    }
    const isJson = result.headers['content-type']?.startsWith('application/json')
    return { ...result, json: isJson ? JSON.parse(result.body) : undefined }
  }
  return { services, send }
}

const query: CallShape = { method: 'POST', path: '/', headers: JSON_TYPE, body: SELECT, verdict: AGENT }
const shapes = { 'an HTTP API': httpApiEvent, 'a REST API': restEvent } as const

describe.each(Object.entries(shapes))('an event of %s', (_name, eventOf) => {
  it('runs a statement', async () => {
    const { send, services } = serve('gate.query')
    expect(await send(eventOf(query))).toMatchObject({ statusCode: 200, json: { result: { status: 'executed' } } })
    expect(services.gate.calls[0]?.principal.name).toBe('agent')
  })

  it('hands over path, parameters and body', async () => {
    const { send } = serve('gate.approve')
    const denied = await send(
      eventOf({
        method: 'POST',
        path: '/deny/appr_00000000000000000000000000000009',
        headers: JSON_TYPE,
        body: '{"comment":"no"}',
        verdict: OPERATOR,
      }),
    )
    expect(denied).toMatchObject({ statusCode: 404, json: { error: 'approval ID not found' } })
    const listed = await send(
      eventOf({ method: 'GET', path: '/approvals', query: 'state=denied&limit=7', verdict: OPERATOR }),
    )
    expect(listed).toMatchObject({ statusCode: 200, json: { items: [], count: 0 } })
    const wrong = await send(eventOf({ method: 'GET', path: '/approvals', query: 'limit=many', verdict: OPERATOR }))
    expect(wrong.statusCode).toBe(400)
    const twice = await send(
      eventOf({ method: 'GET', path: '/approvals', query: 'limit=1&limit=2', verdict: OPERATOR }),
    )
    expect(twice).toMatchObject({ statusCode: 400, json: { message: 'a query parameter is given twice' } })
  })

  it('takes a body in base64', async () => {
    const { send } = serve('gate.query')
    const body = Buffer.from(SELECT).toString('base64')
    expect(await send(eventOf({ ...query, body, isBase64Encoded: true }))).toMatchObject({ statusCode: 200 })
  })

  it('refuses a body that is too large, of the wrong type, or not JSON', async () => {
    const { send } = serve('gate.query')
    const large = 'x'.repeat(1_048_577)
    expect((await send(eventOf({ ...query, body: large }))).statusCode).toBe(413)
    const packed = Buffer.from(large).toString('base64')
    expect((await send(eventOf({ ...query, body: packed, isBase64Encoded: true }))).statusCode).toBe(413)
    expect((await send(eventOf({ ...query, headers: { 'Content-Type': 'text/plain' } }))).statusCode).toBe(415)
    expect((await send(eventOf({ ...query, headers: {} }))).statusCode).toBe(415)
    expect((await send(eventOf({ ...query, body: '{' }))).json.error.code).toBe(-32_700)
  })

  it('is answered 404 for what is nowhere, and for what another function serves', async () => {
    const { send } = serve('gate.approve')
    expect((await send(eventOf({ method: 'GET', path: '/nothing', verdict: OPERATOR }))).statusCode).toBe(404)
    expect(
      (await send(eventOf({ method: 'POST', path: '/admin/pause', verdict: principal('x', 'admin:*') }))).statusCode,
    ).toBe(404)
    expect((await send(eventOf({ method: 'DELETE', path: '/pending', verdict: OPERATOR }))).statusCode).toBe(405)
  })

  it('fails closed where no authorizer was asked, and opens what is open', async () => {
    const guarded = serve('gate.query')
    const { verdict: _, ...unasked } = query
    expect(await guarded.send(eventOf(unasked))).toMatchObject({
      statusCode: 503,
      json: { error: 'identity_unavailable' },
    })
    expect(guarded.services.gate.calls).toEqual([])
    expect((await serve('gate.inspect').send(eventOf({ method: 'GET', path: '/health' }))).statusCode).toBe(200)
  })

  it.each([
    ['absent', encodeVerdict({ verdict: 'absent' }), 401, 'The request carries no token.'],
    [
      'unknown',
      encodeVerdict({ verdict: 'unknown', message: 'The token is not known.' }),
      401,
      'The token is not known.',
    ],
    [
      'expired',
      encodeVerdict({ verdict: 'expired', message: 'The token has expired.' }),
      401,
      'The token has expired.',
    ],
    ['unavailable', encodeVerdict({ verdict: 'unavailable', message: 'no store' }), 503, 'no store'],
  ])('is refused for the verdict %s', async (_verdict, verdict, status, message) => {
    const { send, services } = serve('gate.query')
    expect(await send(eventOf({ ...query, verdict }))).toMatchObject({ statusCode: status, json: { message } })
    expect(services.gate.calls).toEqual([])
  })

  it.each([
    ['a verdict of no kind', { verdict: 'admin' }],
    ['a principal that is none', { verdict: 'principal', principal: 'agent' }],
    [
      'a principal without a name',
      { verdict: 'principal', principal: '{"name":"","scopes":["admin:*"],"agentIds":[]}' },
    ],
    [
      'a principal with more',
      { verdict: 'principal', principal: '{"name":"a","scopes":[],"agentIds":[],"isRoot":true}' },
    ],
    ['scopes that are no list', { verdict: 'principal', principal: '{"name":"a","scopes":"admin:*","agentIds":[]}' }],
    ['no verdict', { principal: '{"name":"a","scopes":["admin:*"],"agentIds":[]}' }],
  ])('is refused for a context that holds %s', async (_case, verdict) => {
    const { send, services } = serve('gate.query')
    expect(await send(eventOf({ ...query, verdict }))).toMatchObject({ statusCode: 503 })
    expect(services.gate.calls).toEqual([])
  })

  it('believes no header that claims to be a verdict, and no token beside one', async () => {
    const { send, services } = serve('gate.query')
    const headers = {
      ...JSON_TYPE,
      verdict: 'principal',
      principal: AGENT.principal,
      Authorization: 'Bearer agent-token-0123456789',
    }
    const { verdict: _, ...unasked } = query
    expect((await send(eventOf({ ...unasked, headers }))).statusCode).toBe(503)
    const refused = encodeVerdict({ verdict: 'unknown', message: 'The token is not known.' })
    expect((await send(eventOf({ ...query, headers, verdict: refused }))).statusCode).toBe(401)
    expect(services.gate.calls).toEqual([])
  })

  it('keeps the correlation id from the caller to the gate and back, and makes one where there is none', async () => {
    const { send, services } = serve('gate.query')
    const own = await send(eventOf({ ...query, headers: { ...JSON_TYPE, 'X-Correlation-Id': 'trace-7' } }))
    expect(own.headers['x-correlation-id']).toBe('trace-7')
    const made = await send(eventOf(query))
    expect(services.gate.calls.map(({ request }) => request.correlationId)).toEqual([
      'trace-7',
      made.headers['x-correlation-id'],
    ])
  })
})

describe('the two kinds of API', () => {
  it('are answered the same', async () => {
    const calls: readonly CallShape[] = [
      query,
      { method: 'GET', path: '/', verdict: AGENT },
      { ...query, body: '{"jsonrpc":"2.0","id":2,"method":"tools/list"}' },
      { ...query, verdict: OPERATOR },
      { ...query, body: '[]' },
    ]
    const same = { 'x-correlation-id': 'same' }
    for (const shape of calls) {
      const given = { ...shape, headers: { ...shape.headers, ...same } }
      const [http, rest] = await Promise.all([
        serve('gate.query').send(httpApiEvent(given)),
        serve('gate.query').send(restEvent(given)),
      ])
      expect(http).toEqual(rest)
    }
  })

  it('have the stage in the path of an HTTP API alone', async () => {
    const { send } = serve('gate.query')
    expect((await send(httpApiEvent(query, 'prod'))).statusCode).toBe(200)
    expect((await send({ ...httpApiEvent(query, 'prod'), rawPath: '/prod/prod/' })).statusCode).toBe(404)
  })

  it.each([
    ['nothing', undefined],
    ['a schedule', { 'detail-type': 'Scheduled Event', id: 'x' }],
    ['a batch', { Records: [] }],
    ['a path without a slash', { ...httpApiEvent(query), rawPath: 'nothing' }],
  ])('are told from %s', async (_case, event) => {
    const { send, services } = serve('gate.query')
    expect((await send(event)).statusCode).toBe(400)
    expect(services.gate.calls).toEqual([])
  })
})

describe('a function whose parts cannot be opened', () => {
  it('says so without telling why, and tries again at the next request', async () => {
    const services = createInMemoryServices()
    let opened = 0
    const handler = httpFunction('gate.query', async () => {
      opened += 1
      if (opened === 1) throw new BackstopError('CONFIG_INVALID', 'BACKSTOP_DB_SECRET is wrong')
      if (opened === 2) throw new BackstopError('DATABASE_UNREACHABLE', 'Cannot reach the database db:5432/shop (X).')
      return { services, settings: SETTINGS }
    })
    const send = async () =>
      (await handler(httpApiEvent(query), lambdaContext())) as { statusCode: number; body: string }
    const first = await send()
    expect(first.statusCode).toBe(503)
    expect(first.body).not.toContain('SECRET')
    expect(JSON.parse((await send()).body)).toMatchObject({ error: 'database_unreachable' })
    expect((await send()).statusCode).toBe(200)
    expect((await send()).statusCode).toBe(200)
    expect(opened).toBe(3)
  })

  it('settles what an answer did not wait for before it is sent', async () => {
    const services = createInMemoryServices()
    const order: string[] = []
    const handler = httpFunction('gate.query', async () => ({
      services,
      settings: SETTINGS,
      prepare: async () => void order.push('prepared'),
      settle: async () => void order.push('settled'),
    }))
    await handler(httpApiEvent(query), lambdaContext())
    expect(order).toEqual(['prepared', 'settled'])
  })
})
