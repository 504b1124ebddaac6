import { describe, expect, it } from 'vitest'
import { createApi } from '#lib/api/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { CallOptions } from '#test/support/api/call.ts'
import { callApi } from '#test/support/api/call.ts'
import { createInMemoryServices, SETTINGS, TOKENS } from '#test/support/api/in-memory-services.ts'

function open() {
  const services = createInMemoryServices()
  const api = createApi(services, SETTINGS)
  const post = (body: string, headers: CallOptions['headers'] = [], token: string = TOKENS.agent) =>
    callApi(api, 'POST', '/mcp', { token, headers: [['content-type', 'application/json'], ...headers], body })
  const send = (message: object, headers: CallOptions['headers'] = [], token: string = TOKENS.agent) =>
    post(JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }), headers, token)
  const call = (name: string, args: object, token: string = TOKENS.agent) =>
    send({ method: 'tools/call', params: { name, arguments: args } }, [], token)
  return { services, api, post, send, call }
}

const SELECT = { query: 'SELECT 1', agent_id: 'a-1' }

describe('the MCP endpoint', () => {
  it('agrees on the version that the client asks for', async () => {
    const { send } = open()
    const { status, body } = await send({ method: 'initialize', params: { protocolVersion: '2025-06-18' } })
    expect(status).toBe(200)
    expect(body.result).toMatchObject({
      protocolVersion: '2025-06-18',
      capabilities: { tools: {} },
      serverInfo: { name: 'backstop' },
    })
  })

  it('offers its newest version to a client that asks for one it does not speak', async () => {
    const { send } = open()
    const { body } = await send({ method: 'initialize', params: { protocolVersion: '1999-01-01' } })
    expect(body.result.protocolVersion).toBe('2025-11-25')
  })

  it('answers a ping', async () => {
    expect((await open().send({ method: 'ping' })).body).toEqual({ jsonrpc: '2.0', id: 1, result: {} })
  })

  it('lists the tools with honest hints', async () => {
    const { body } = await open().send({ method: 'tools/list' })
    const tools = body.result.tools as { name: string; annotations: { destructiveHint: boolean } }[]
    expect(tools.map(({ name, annotations }) => [name, annotations.destructiveHint])).toEqual([
      ['execute_query', true],
      ['analyze_query', false],
    ])
  })

  it('runs a statement, and gives the answer as text and as structure', async () => {
    const { call, services } = open()
    const { status, body } = await call('execute_query', SELECT)
    expect(status).toBe(200)
    expect(body.result.isError).toBe(false)
    expect(body.result.structuredContent).toMatchObject({ status: 'executed', rows: [{ one: 1 }] })
    expect(JSON.parse(body.result.content[0].text)).toEqual(body.result.structuredContent)
    expect(services.gate.calls).toHaveLength(1)
  })

  it('tells a model what is wrong with its arguments', async () => {
    const { body } = await open().call('execute_query', { agent_id: 'a-1' })
    expect(body.result).toMatchObject({ isError: true, content: [{ type: 'text' }] })
    expect(body.result.content[0].text).toContain('query')
  })

  it('refuses an unknown tool and an unknown method as the protocol wants', async () => {
    const { call, send } = open()
    expect((await call('drop_everything', {})).body.error.code).toBe(-32_602)
    expect((await send({ method: 'resources/list' })).body.error.code).toBe(-32_601)
  })

  it('runs nothing for a notification, and accepts it', async () => {
    const { post, services } = open()
    const params = { name: 'execute_query', arguments: SELECT }
    const answer = await post(JSON.stringify({ jsonrpc: '2.0', method: 'tools/call', params }))
    expect([answer.status, answer.text]).toEqual([202, ''])
    expect((await post(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }))).status).toBe(202)
    expect(services.gate.calls).toHaveLength(0)
  })

  it.each([
    ['no JSON', '{', -32_700],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32_600],
    ['another version of JSON-RPC', '{"jsonrpc":"1.0","id":1,"method":"ping"}', -32_600],
    ['no method', '{"jsonrpc":"2.0","id":1}', -32_600],
  ])('refuses %s with 400', async (_, text, code) => {
    const answer = await open().post(text)
    expect([answer.status, answer.body.error.code]).toEqual([400, code])
  })

  it('refuses a protocol version in the header that it does not speak', async () => {
    const { send } = open()
    expect((await send({ method: 'ping' }, [['mcp-protocol-version', '2024-01-01']])).status).toBe(400)
    expect((await send({ method: 'ping' }, [['mcp-protocol-version', '2025-06-18']])).status).toBe(200)
  })

  it('refuses a page of another origin', async () => {
    const { send } = open()
    const host = ['host', 'gate.example.com'] as const
    for (const origin of ['https://evil.example', 'null', 'https://gate.example.com.evil.example']) {
      expect((await send({ method: 'ping' }, [host, ['origin', origin]])).status).toBe(403)
    }
    expect((await send({ method: 'ping' }, [host, ['origin', 'https://gate.example.com']])).status).toBe(200)
  })

  it('refuses a token without the scope, with 403', async () => {
    const { call, services } = open()
    const { status, body } = await call('execute_query', SELECT, TOKENS.operator)
    expect(status).toBe(403)
    expect(body.error.data).toMatchObject({ error: 'insufficient_scope', required_scope: 'query:execute' })
    expect(services.gate.calls).toHaveLength(0)
  })

  it('needs a token, and takes no other method', async () => {
    const { api } = open()
    const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
    const bare = await callApi(api, 'POST', '/mcp', { headers: [['content-type', 'application/json']], body })
    expect(bare.status).toBe(401)
    const opened = await callApi(api, 'GET', '/mcp', { token: TOKENS.agent })
    expect([opened.status, opened.headers['allow']]).toEqual([405, 'POST'])
  })

  it('shows the gate’s own errors by code and hides a defect’s text', async () => {
    const { call, services } = open()
    services.gate.next = async () => {
      throw new BackstopError('RATE_LIMITED', 'too many approvals wait')
    }
    expect((await call('execute_query', SELECT)).body.error.code).toBe(-32_029)
  })
})
