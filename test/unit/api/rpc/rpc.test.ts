import { describe, expect, it } from 'vitest'
import { createApi, DEFAULT_LIMITS } from '#lib/api/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { CallOptions } from '#test/support/api/call.ts'
import { callApi, callTool } from '#test/support/api/call.ts'
import { createInMemoryServices, SETTINGS, TOKENS } from '#test/support/api/in-memory-services.ts'

function open(limits = DEFAULT_LIMITS) {
  const services = createInMemoryServices()
  const api = createApi(services, { ...SETTINGS, limits })
  const post = (body: string | Uint8Array, options: CallOptions = {}) =>
    callApi(api, 'POST', '/', {
      token: TOKENS.agent,
      headers: [['content-type', 'application/json']],
      body,
      ...options,
    })
  const rpc = (value: unknown, options: CallOptions = {}) => post(JSON.stringify(value), options)
  return { services, api, post, rpc }
}

const SELECT = { query: 'SELECT 1', agent_id: 'a-1' }
const callOf = (args: object, over: object = {}) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'execute_query', arguments: args },
  ...over,
})

describe('tools/call', () => {
  it('executes a statement for the token’s principal and answers with its id', async () => {
    const { rpc, services } = open()
    const answer = await rpc(
      callOf({ ...SELECT, parameters: [1, 'x', null, true], reason: 'why', snapshot_id: 'snap_1' }, { id: 'q-7' }),
    )
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({
      jsonrpc: '2.0',
      id: 'q-7',
      result: { status: 'executed', result_type: 'rows', rows: [{ one: 1 }] },
    })
    expect(services.gate.calls).toMatchObject([
      {
        principal: { name: 'agent' },
        request: {
          query: 'SELECT 1',
          agentId: 'a-1',
          parameters: [1, 'x', null, true],
          reason: 'why',
          correlationId: answer.headers['x-correlation-id'],
        },
      },
    ])
  })

  it('analyzes without an agent id', async () => {
    const { api, services } = open()
    const answer = await callTool(api, TOKENS.agent, 'analyze_query', { query: 'SELECT 1' })
    expect(answer.body.result.status).toBe('analyzed')
    expect(services.gate.calls[0]?.request.agentId).toBe('agent')
  })

  it('returns approval_required at once, and the outcome to a resubmission', async () => {
    const { api } = open()
    const held = await callTool(api, TOKENS.agent, 'execute_query', { query: 'DROP TABLE users', agent_id: 'a' })
    expect(held.body.result).toMatchObject({
      status: 'approval_required',
      approval_id: expect.stringMatching(/^appr_/),
    })
    const id = held.body.result.approval_id
    await callApi(api, 'POST', `/approve/${id}`, { token: TOKENS.operator })
    const done = await callTool(api, TOKENS.agent, 'execute_query', {
      query: 'DROP TABLE users',
      agent_id: 'a',
      approval_id: id,
    })
    expect(done.body.result).toMatchObject({ status: 'executed', command: 'DROP TABLE' })
  })

  it('waits for the decision when asked to, without holding a running slot', async () => {
    const one = { total: 1, perKey: 1 }
    const { api, services } = open({ ...DEFAULT_LIMITS, statements: one })
    const waiting = callTool(api, TOKENS.agent, 'execute_query', {
      query: 'DROP TABLE users',
      agent_id: 'a',
      wait_seconds: 25,
    })
    await expect.poll(() => services.approvals.waiterCount).toBe(1)
    expect((await callTool(api, TOKENS.agent, 'execute_query', SELECT)).body.result.status).toBe('executed')
    const [id] = services.approvals.byId.keys()
    await callApi(api, 'POST', `/approve/${id}`, { token: TOKENS.operator })
    expect((await waiting).body.result).toMatchObject({ status: 'executed', command: 'DROP TABLE' })
  })

  it('answers approval_required at once when too many wait already', async () => {
    const { api } = open({ ...DEFAULT_LIMITS, waiting: { total: 0, perKey: 0 } })
    const answer = await callTool(api, TOKENS.agent, 'execute_query', {
      query: 'DROP TABLE users',
      agent_id: 'a',
      wait_seconds: 25,
    })
    expect(answer.body.result.status).toBe('approval_required')
  })

  it('passes a denial on', async () => {
    const { api, services } = open()
    const waiting = callTool(api, TOKENS.agent, 'execute_query', {
      query: 'DROP TABLE users',
      agent_id: 'a',
      wait_seconds: 25,
    })
    await expect.poll(() => services.approvals.waiterCount).toBe(1)
    const [id] = services.approvals.byId.keys()
    await callApi(api, 'POST', `/deny/${id}`, { token: TOKENS.operator })
    expect((await waiting).body.result.status).toBe('denied')
  })

  it('never runs a statement for a caller that has gone while waiting', async () => {
    const { api, services } = open()
    const gone = new AbortController()
    const json = callOf({ query: 'DROP TABLE users', agent_id: 'a', wait_seconds: 25 })
    const waiting = callApi(api, 'POST', '/', { token: TOKENS.agent, json, signal: gone.signal })
    await expect.poll(() => services.approvals.waiterCount).toBe(1)
    gone.abort()
    expect((await waiting).body.result.status).toBe('approval_required')
    expect(services.gate.calls).toHaveLength(1)
  })
})

describe('agents', () => {
  it('takes the one agent that a token names', async () => {
    const { api, services } = open()
    await callTool(api, TOKENS.bound, 'execute_query', { query: 'SELECT 1' })
    expect(services.gate.calls[0]?.request.agentId).toBe('billing-bot')
  })

  it('refuses an agent that the token does not list', async () => {
    const { api, services } = open()
    const answer = await callTool(api, TOKENS.bound, 'execute_query', SELECT)
    expect(answer).toMatchObject({
      status: 403,
      body: { id: 1, error: { code: -32_003, data: { error: 'agent_not_allowed' } } },
    })
    expect(services.gate.calls).toEqual([])
  })

  it('wants an agent id from a token that lists none', async () => {
    const { api } = open()
    const answer = await callTool(api, TOKENS.agent, 'execute_query', { query: 'SELECT 1' })
    expect(answer.body.error).toMatchObject({ code: -32_602, message: 'agent_id is required' })
  })
})

describe('scopes of tools', () => {
  it('answers 403 and a JSON-RPC error to a lone call without the scope', async () => {
    const { api, services } = open()
    const answer = await callTool(api, TOKENS.reader, 'execute_query', SELECT)
    expect(answer.status).toBe(403)
    expect(answer.body).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: {
        code: -32_003,
        message: 'Token does not have query:execute scope',
        data: {
          error: 'insufficient_scope',
          required_scope: 'query:execute',
          hint: expect.any(String),
          correlation_id: expect.any(String),
        },
      },
    })
    expect(services.gate.calls).toEqual([])
    expect((await callTool(api, TOKENS.reader, 'analyze_query', { query: 'SELECT 1' })).status).toBe(200)
  })
})

describe('tools/list', () => {
  it('lists both tools with strict schemas and honest annotations', async () => {
    const { rpc } = open()
    const { body } = await rpc({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
    const [execute, analyze] = body.result.tools
    expect(execute).toMatchObject({
      name: 'execute_query',
      inputSchema: { type: 'object', required: ['query'], additionalProperties: false },
      annotations: { readOnlyHint: false, destructiveHint: true },
    })
    expect(Object.keys(execute.inputSchema.properties)).toEqual([
      'query',
      'agent_id',
      'parameters',
      'approval_id',
      'snapshot_id',
      'reason',
      'wait_seconds',
    ])
    expect(analyze).toMatchObject({
      name: 'analyze_query',
      annotations: { readOnlyHint: true, destructiveHint: false },
    })
    expect(body.result.tools).toHaveLength(2)
  })
})

describe('arguments', () => {
  const refused: readonly (readonly [string, object, string])[] = [
    ['no query', { agent_id: 'a' }, 'query is required'],
    ['an empty query', { ...SELECT, query: '' }, 'query is required'],
    ['a query that is no text', { ...SELECT, query: ['SELECT 1'] }, 'query must be a string'],
    ['db_url', { ...SELECT, db_url: 'postgres://x' }, 'db_url is not accepted'],
    ['an unknown argument', { ...SELECT, force: true }, 'unknown argument: force'],
    ['__proto__', JSON.parse('{"query":"SELECT 1","agent_id":"a","__proto__":{"x":1}}'), 'unknown argument: __proto__'],
    ['constructor', { ...SELECT, constructor: 1 }, 'unknown argument: constructor'],
    ['an agent id with a line break', { ...SELECT, agent_id: 'a\nb' }, 'agent_id must be'],
    ['an agent id with a look-alike', { ...SELECT, agent_id: 'аgent' }, 'agent_id must be'],
    ['a parameter that is an object', { ...SELECT, parameters: [{}] }, 'parameters.0'],
    ['a number that is not exact', { ...SELECT, parameters: [2 ** 60] }, 'too large to be exact'],
    ['too long a wait', { ...SELECT, wait_seconds: 26 }, 'wait_seconds'],
    ['too long a reason', { ...SELECT, reason: 'x'.repeat(501) }, 'reason'],
  ]
  it.each(refused)('refuses %s', async (_, args, message) => {
    const { rpc, services } = open()
    const { status, body } = await rpc(callOf(args))
    expect(status).toBe(200)
    expect(body.error).toMatchObject({ code: -32_602, message: expect.stringContaining(message) })
    expect(services.gate.calls).toEqual([])
  })
})

describe('JSON-RPC messages', () => {
  it.each(['{', '', 'null,', '{"jsonrpc":"2.0","method":"tools/list","id":1', 'undefined', '{"a":01}', '\u0000'])(
    'answers a parse error with id null to %j',
    async (text) => {
      const { status, body } = await open().post(text)
      expect(status).toBe(200)
      expect(body).toEqual({
        jsonrpc: '2.0',
        id: null,
        error: { code: -32_700, message: expect.stringContaining('parse error') },
      })
    },
  )

  it('answers a parse error to bytes that are not UTF-8', async () => {
    const { body } = await open().post(new Uint8Array([0x22, 0xff, 0x22]))
    expect(body.error.code).toBe(-32_700)
  })

  const invalid: readonly (readonly [unknown, unknown, number])[] = [
    [1, null, -32_600],
    ['tools/list', null, -32_600],
    [null, null, -32_600],
    [true, null, -32_600],
    [{}, null, -32_600],
    [{ jsonrpc: '2.0', id: 1 }, 1, -32_600],
    [{ jsonrpc: '2.0', id: 1, method: 7 }, 1, -32_600],
    [{ jsonrpc: '2.0', id: 1, method: '' }, 1, -32_600],
    [{ jsonrpc: '1.0', id: 2, method: 'tools/list' }, 2, -32_600],
    [{ jsonrpc: 2, id: 'x', method: 'tools/list' }, 'x', -32_600],
    [{ id: 3, method: 'tools/list' }, 3, -32_600],
    [{ method: 'tools/list' }, null, -32_600],
    [{ jsonrpc: '2.0', id: {}, method: 'tools/list' }, null, -32_600],
    [{ jsonrpc: '2.0', id: [1], method: 'tools/list' }, null, -32_600],
    [{ jsonrpc: '2.0', id: true, method: 'tools/list' }, null, -32_600],
    [{ jsonrpc: '2.0', id: 1, method: 'tools/list', params: 'x' }, 1, -32_600],
    [{ jsonrpc: '2.0', id: 1, method: 'tools/list', params: null }, 1, -32_600],
    [{ jsonrpc: '2.0', id: null, method: 'nope' }, null, -32_601],
    [{ jsonrpc: '2.0', id: 1, method: 'execute_query', params: SELECT }, 1, -32_601],
    [{ jsonrpc: '2.0', id: 1, method: '__proto__' }, 1, -32_601],
    [{ jsonrpc: '2.0', id: 1, method: 'TOOLS/LIST' }, 1, -32_601],
    [{ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'drop_everything' } }, 1, -32_601],
    [{ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'constructor' } }, 1, -32_601],
    [{ jsonrpc: '2.0', id: 1.5, method: 'tools/call' }, 1.5, -32_602],
    [{ jsonrpc: '2.0', id: 1, method: 'tools/call', params: [] }, 1, -32_602],
    [{ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 1 } }, 1, -32_602],
    [{ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'execute_query', arguments: [] } }, 1, -32_602],
    [
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'execute_query', arguments: 'SELECT 1' } },
      1,
      -32_602,
    ],
    [[], null, -32_600],
  ]
  it.each(invalid)('answers %j with id %j and code %i', async (message, id, code) => {
    const { rpc, services } = open()
    const { status, body } = await rpc(message)
    expect(status).toBe(200)
    expect(body).toMatchObject({ jsonrpc: '2.0', id, error: { code } })
    expect(services.gate.calls).toEqual([])
  })

  it('answers deep nesting without a crash', async () => {
    const { post } = open()
    const deep = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"execute_query","arguments":{"query":${'['.repeat(200_000)}${']'.repeat(200_000)}}}}`
    expect((await post(deep)).body.error.code).toBe(-32_602)
    expect((await post('['.repeat(400_000))).body.error.code).toBe(-32_700)
    expect((await post(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)).body).toMatchObject([
      { error: { code: -32_600 } },
    ])
  })

  it('maps errors of the gate to codes, and defects to an internal error', async () => {
    const { rpc, services } = open()
    services.gate.next = async () => {
      throw new BackstopError('AUDIT_UNAVAILABLE', 'the ledger is out of reach')
    }
    const audit = await rpc(callOf(SELECT))
    expect(audit.body.error).toMatchObject({
      code: -32_603,
      data: { error: 'audit_unavailable', hint: expect.stringContaining('Nothing was executed') },
    })
    services.gate.next = async () => {
      throw new TypeError('secret detail')
    }
    const defect = await rpc(callOf(SELECT))
    expect(defect.body.error).toMatchObject({ code: -32_603, message: 'internal error' })
    expect(defect.text).not.toContain('secret')
    expect(services.defects).toHaveLength(1)
  })
})

describe('notifications', () => {
  it('answers 204 without a body and runs nothing', async () => {
    const { rpc, services } = open()
    const { id: _, ...notification } = callOf(SELECT)
    const answer = await rpc(notification)
    expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([204, '', undefined])
    expect((await rpc([notification, notification])).status).toBe(204)
    expect(services.gate.calls).toEqual([])
  })
})

describe('batches', () => {
  it('answers calls in order, invalid members alone, and leaves notifications out', async () => {
    const { rpc, services } = open()
    const { body, status } = await rpc([
      callOf(SELECT, { id: 'a' }),
      { jsonrpc: '2.0', method: 'notify' },
      7,
      callOf({ ...SELECT, query: 'SELECT 2' }, { id: 'b' }),
      { jsonrpc: '2.0', id: 'c', method: 'nope' },
    ])
    expect(status).toBe(200)
    expect(body.map((reply: { id: unknown }) => reply.id)).toEqual(['a', null, 'b', 'c'])
    expect(services.gate.calls.map(({ request }) => request.query)).toEqual(['SELECT 1', 'SELECT 2'])
  })

  it('refuses more than 20 members as a whole', async () => {
    const { rpc, services } = open()
    const { body } = await rpc(Array.from({ length: 21 }, () => callOf(SELECT)))
    expect(body).toMatchObject({ id: null, error: { code: -32_600, message: 'a batch holds at most 20 requests' } })
    expect(services.gate.calls).toEqual([])
  })

  it('counts every member against the rate', async () => {
    const { rpc, services } = open({ ...DEFAULT_LIMITS, rate: { perSecond: 0.001, burst: 3 } })
    const { body } = await rpc(Array.from({ length: 5 }, (_, id) => callOf(SELECT, { id })))
    expect(body.map((reply: { error?: { code: number } }) => reply.error?.code)).toEqual([
      undefined,
      undefined,
      undefined,
      -32_029,
      -32_029,
    ])
    expect(services.gate.calls).toHaveLength(3)
  })

  it('stays at status 200 when one member lacks its scope, and takes no waits', async () => {
    const { rpc } = open()
    const mixed = await rpc(
      [
        callOf(SELECT),
        callOf({ query: 'SELECT 1' }, { params: { name: 'analyze_query', arguments: { query: 'SELECT 1' } } }),
      ],
      { token: TOKENS.reader },
    )
    expect(mixed.status).toBe(200)
    expect(mixed.body[0].error.code).toBe(-32_003)
    expect(mixed.body[1].result.status).toBe('analyzed')
    const waits = await rpc([callOf({ ...SELECT, wait_seconds: 5 })])
    expect(waits.body[0].error.message).toBe('wait_seconds cannot be used in a batch')
  })
})

describe('the body of POST /', () => {
  it.each([
    'text/plain',
    'application/jsonx',
    'application/x-www-form-urlencoded',
    'application/json, text/plain',
    'application/json; charset=latin1',
    '',
  ])('refuses the content type %j with 415', async (type) => {
    const answer = await open().rpc(callOf(SELECT), { headers: [['content-type', type]] })
    expect(answer).toMatchObject({
      status: 415,
      body: { error: 'media_type_unsupported', message: 'Content-Type must be application/json' },
    })
  })

  it('refuses a missing and a doubled content type, and any coding', async () => {
    const { rpc } = open()
    const json = ['content-type', 'application/json'] as const
    expect((await rpc(callOf(SELECT), { headers: [] })).status).toBe(415)
    expect((await rpc(callOf(SELECT), { headers: [json, json] })).status).toBe(415)
    expect((await rpc(callOf(SELECT), { headers: [json, ['content-encoding', 'gzip']] })).status).toBe(415)
    expect((await rpc(callOf(SELECT), { headers: [['content-type', 'Application/JSON; charset=UTF-8']] })).status).toBe(
      200,
    )
  })

  it('refuses more than one mebibyte with 413', async () => {
    const { post } = open()
    expect((await post(`"${'x'.repeat(1_048_576)}"`)).status).toBe(413)
    expect((await post(`"${'x'.repeat(1_048_574)}"`)).body.error.code).toBe(-32_600)
  })

  it('wants a token before it reads anything', async () => {
    const answer = await open().post('{', { token: 'unknown-token' })
    expect(answer.status).toBe(401)
  })
})

describe('a batch whose request has no time left', () => {
  it('begins none of what is left, and says so', async () => {
    const services = createInMemoryServices()
    const api = createApi(services, SETTINGS)
    const running = new AbortController()
    services.gate.next = async () => {
      running.abort()
      return {
        ...(await services.gate.execute(
          { name: 'agent', scopes: [], agentIds: [] },
          { query: 'SELECT 1', agentId: 'bot' },
        )),
      }
    }
    const call = (id: number) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: 'execute_query', arguments: { query: 'SELECT 1', agent_id: 'bot' } },
    })
    const answer = await callApi(api, 'POST', '/', {
      token: TOKENS.agent,
      json: [call(1), call(2)],
      signal: running.signal,
    })
    expect(answer.body).toMatchObject([
      { id: 1, result: { status: 'executed' } },
      { id: 2, error: { code: -32_029 } },
    ])
    expect(services.gate.calls).toHaveLength(2)
  })
})
