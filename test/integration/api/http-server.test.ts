import { afterEach, describe, expect, it } from 'vitest'
import { openHttpServer } from '#lib/adapters/embedded/index.ts'
import type { ApiSettings } from '#lib/api/index.ts'
import { createApi, LOOPBACK_HOSTS } from '#lib/api/index.ts'
import { createInMemoryServices, SETTINGS, TOKENS } from '#test/support/api/in-memory-services.ts'
import { exchangeRaw, openRaw } from '#test/support/api/raw-http.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()))
})

const FAST = { headersMs: 300, requestMs: 600, keepAliveMs: 5_000, writeMs: 2_000, checkMs: 50 }

async function open(over: Partial<ApiSettings> = {}, timeouts: Partial<typeof FAST> = {}) {
  const services = createInMemoryServices()
  const api = createApi(services, { ...SETTINGS, allowedHosts: LOOPBACK_HOSTS, ...over })
  const server = await openHttpServer(api.handle, { port: 0, timeouts })
  closers.push(() => server.close(0))
  return { services, api, server, url: server.url, port: server.port }
}

const rpcBody = (query: string) =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'execute_query', arguments: { query, agent_id: 'a' } },
  })
const post = (url: string, body: string | ReadableStream<Uint8Array>) =>
  fetch(url, {
    method: 'POST',
    body,
    duplex: 'half',
    headers: { authorization: `Bearer ${TOKENS.agent}`, 'content-type': 'application/json' },
  })
const head = (line: string, ...headers: string[]) => `${[line, 'Host: localhost', ...headers].join('\r\n')}\r\n\r\n`
const bearer = `Authorization: Bearer ${TOKENS.agent}`
const JSON_TYPE = 'Content-Type: application/json'

/** A gate answer that stays open until it is let go. */
function hold(services: ReturnType<typeof createInMemoryServices>) {
  let letGo = (): void => {}
  const gate = new Promise<void>((resolve) => {
    letGo = resolve
  })
  services.gate.next = async () => {
    await gate
    throw new Error('let go')
  }
  return letGo
}

describe('a served API', () => {
  it('answers health and a query over HTTP', async () => {
    const { url } = await open()
    const health = await fetch(`${url}/health`)
    expect(await health.json()).toMatchObject({ status: 'ok' })
    expect(health.headers.get('x-content-type-options')).toBe('nosniff')
    const answer = await post(url, rpcBody('SELECT 1'))
    expect(await answer.json()).toMatchObject({ result: { status: 'executed', rows: [{ one: 1 }] } })
  })

  it('listens on loopback unless told otherwise', async () => {
    const { server } = await open()
    expect(server.host).toBe('127.0.0.1')
  })

  it('says when the port is taken, and how to choose another', async () => {
    const { port } = await open()
    await expect(openHttpServer(async () => ({ status: 200, headers: {}, body: '' }), { port })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      hint: expect.stringContaining('BACKSTOP_PORT'),
    })
  })

  it('refuses TLS material that cannot be used', async () => {
    const tls = { certificate: 'nonsense', key: 'nonsense' }
    await expect(
      openHttpServer(async () => ({ status: 200, headers: {}, body: '' }), { port: 0, tls }),
    ).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('keeps the connection for the next request after an answer that read no body', async () => {
    const { port } = await open()
    const connection = await openRaw(port)
    connection.write(`${head('POST / HTTP/1.1', 'Content-Length: 2')}{}`)
    await expect.poll(connection.received).toContain('401 Unauthorized')
    connection.write(head('GET /health HTTP/1.1'))
    await expect.poll(connection.received).toContain('backstop-gateway')
    connection.destroy()
  })
})

describe('bodies', () => {
  it('refuses a declared body over the limit without reading it', async () => {
    const { port } = await open()
    const text = await exchangeRaw(port, head('POST / HTTP/1.1', bearer, JSON_TYPE, 'Content-Length: 99999999999'))
    expect(text).toContain('413 Payload Too Large')
    expect(text).toContain('"error":"body_too_large"')
  })

  it('refuses a streamed body as soon as it passes the limit', async () => {
    const { url } = await open()
    let sentBytes = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sentBytes += 65_536
        controller.enqueue(new Uint8Array(65_536).fill(0x20))
        if (sentBytes > 64 * 1_048_576) controller.error(new Error('nobody stopped the body'))
      },
    })
    const answer = await post(url, endless)
    expect(answer.status).toBe(413)
    expect(sentBytes).toBeLessThan(8 * 1_048_576)
  })

  it('asks for the body of a request that expects 100-continue only when it will read it', async () => {
    const { port } = await open()
    const expectation = ['Expect: 100-continue', JSON_TYPE]
    const refused = await exchangeRaw(port, head('POST / HTTP/1.1', ...expectation, 'Content-Length: 2000'))
    expect(refused).toMatch(/^HTTP\/1\.1 401 /)
    const oversized = await exchangeRaw(
      port,
      head('POST / HTTP/1.1', bearer, ...expectation, 'Content-Length: 2000000'),
    )
    expect(oversized).toMatch(/^HTTP\/1\.1 413 /)
    const connection = await openRaw(port)
    const body = rpcBody('SELECT 1')
    connection.write(head('POST / HTTP/1.1', bearer, ...expectation, `Content-Length: ${body.length}`))
    await expect.poll(connection.received).toContain('100 Continue')
    connection.write(body)
    await expect.poll(connection.received).toContain('"status":"executed"')
    connection.destroy()
  })

  it('ends a chunked body that never ends', async () => {
    const { port, services } = await open({}, FAST)
    const text = await exchangeRaw(
      port,
      `${head('POST / HTTP/1.1', bearer, JSON_TYPE, 'Transfer-Encoding: chunked')}5\r\n{"jso\r\n`,
    )
    expect(text).toContain('408 Request Timeout')
    expect(services.gate.calls).toEqual([])
  })

  it('ends a body that is shorter than declared, and gives its slot back', async () => {
    const limits = { ...SETTINGS.limits, statements: { total: 1, perKey: 1 } }
    const { port, url, services } = await open({ limits })
    const connection = await openRaw(port)
    connection.write(`${head('POST / HTTP/1.1', bearer, JSON_TYPE, 'Content-Length: 500')}{`)
    await expect.poll(async () => (await post(url, rpcBody('SELECT 1'))).status).toBe(429)
    connection.destroy()
    await expect.poll(async () => (await post(url, rpcBody('SELECT 1'))).status).toBe(200)
    expect(services.defects).toEqual([])
  })

  it('answers 400 to a malformed chunk', async () => {
    const { port } = await open()
    const text = await exchangeRaw(
      port,
      `${head('POST / HTTP/1.1', bearer, JSON_TYPE, 'Transfer-Encoding: chunked')}zz\r\n`,
    )
    expect(text).toContain('400 Bad Request')
  })
})

describe('hostile requests', () => {
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['what is not HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a TLS greeting', '\x16\x03\x01\x02\x00\x01', /^HTTP\/1\.1 400 /],
    ['no Host', 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'a foreign Host',
      'GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 403 .*host_not_allowed/s,
    ],
    ['two Hosts', head('GET /health HTTP/1.1', 'Host: evil.example', 'Connection: close'), /^HTTP\/1\.1 (400|403) /],
    [
      'length and chunks together',
      `${head('POST / HTTP/1.1', 'Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
    ['two lengths', `${head('POST / HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2')}{}`, /^HTTP\/1\.1 400 /],
    ['headers too large', head('GET /health HTTP/1.1', `X-Filler: ${'x'.repeat(20_000)}`), /^HTTP\/1\.1 431 /],
    ['a control character in a header', head('GET /health HTTP/1.1', 'X-A: a\x00b'), /^HTTP\/1\.1 400 /],
    [
      'a bare line feed in a header',
      'GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: a\nX-B: b\r\n\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    [
      'two different tokens',
      head('GET /health HTTP/1.1', bearer, 'Authorization: Bearer other', 'Connection: close'),
      /^HTTP\/1\.1 401 /,
    ],
    [
      'a token that came second',
      head('GET /pending HTTP/1.1', 'Authorization: Basic x', bearer, 'Connection: close'),
      /^HTTP\/1\.1 401 /,
    ],
    ['an absolute target', head('GET http://localhost/health HTTP/1.1', 'Connection: close'), /^HTTP\/1\.1 404 /],
    ['a doubled slash', head('GET //health HTTP/1.1', 'Connection: close'), /^HTTP\/1\.1 404 /],
    ['dot segments', head('GET /x/../health HTTP/1.1', 'Connection: close'), /^HTTP\/1\.1 404 /],
    ['encoded dot segments', head('GET /x/%2e%2e/health HTTP/1.1', 'Connection: close'), /^HTTP\/1\.1 404 /],
    ['an asterisk', head('OPTIONS * HTTP/1.1', 'Connection: close'), /^HTTP\/1\.1 404 /],
    [
      'OPTIONS',
      head('OPTIONS /pending HTTP/1.1', 'Origin: https://evil.example', 'Connection: close'),
      /^HTTP\/1\.1 405 /,
    ],
    ['HEAD', head('HEAD /health HTTP/1.1', 'Connection: close'), /^HTTP\/1\.1 405 .*\r\n\r\n$/s],
    ['an unknown method', 'FOO /health HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'a correlation id that is markup',
      head('GET /health HTTP/1.1', 'X-Correlation-Id: <b>', 'Connection: close'),
      /x-correlation-id: req_[0-9a-f]{32}/i,
    ],
    [
      'a __proto__ header',
      head('GET /health HTTP/1.1', '__proto__: x', 'constructor: y', 'Connection: close'),
      /^HTTP\/1\.1 200 /,
    ],
  ]
  it.each(refused)('answers %s', async (_, text, expected) => {
    const { port, services } = await open()
    const connection = await openRaw(port)
    connection.write(text)
    await expect.poll(connection.received).toMatch(expected)
    connection.destroy()
    expect(services.defects).toEqual([])
    expect(connection.received()).not.toMatch(/access-control/i)
  })

  it('never answers a smuggled second request', async () => {
    const { port } = await open()
    const smuggled = head('GET /openapi.json HTTP/1.1')
    const text = await exchangeRaw(
      port,
      `${head('POST / HTTP/1.1', `Content-Length: ${smuggled.length}`, 'Transfer-Encoding : chunked')}0\r\n\r\n${smuggled}`,
    )
    expect(text).not.toContain('openapi')
  })

  it('cuts off headers that trickle in', async () => {
    const { port } = await open({}, FAST)
    expect(await exchangeRaw(port, 'GET /health HTTP/1.1\r\nHost: local')).toContain('408 Request Timeout')
  })
})

describe('close', () => {
  it('lets running requests finish, and refuses new connections', async () => {
    const { api, server, port, services } = await open()
    const letGo = hold(services)
    const connection = await openRaw(port)
    const body = rpcBody('SELECT 1')
    connection.write(`${head('POST / HTTP/1.1', bearer, JSON_TYPE, `Content-Length: ${body.length}`)}${body}`)
    await expect.poll(() => services.gate.calls.length).toBe(1)
    api.drain()
    const closing = server.close(10_000)
    await expect(openRaw(port)).rejects.toThrow('ECONNREFUSED')
    letGo()
    const text = await connection.closed
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(text.toLowerCase()).toContain('connection: close')
    expect(await closing).toMatchObject({ abortedCount: 0 })
  })

  it('answers 503 to the next request on a connection that was kept', async () => {
    const { api, port } = await open()
    const connection = await openRaw(port)
    connection.write(head('GET /health HTTP/1.1'))
    await expect.poll(connection.received).toContain('"status":"ok"')
    expect(connection.received().toLowerCase()).toContain('connection: keep-alive')
    api.drain()
    connection.write(head('GET /health HTTP/1.1'))
    await expect.poll(connection.received).toMatch(/HTTP\/1\.1 503 .*"error":"shutting_down"/s)
    connection.destroy()
  })

  it('aborts what still runs at the deadline', async () => {
    const { server, url, services } = await open()
    let signal: AbortSignal | undefined
    services.gate.next = () => {
      signal = services.gate.calls[0]?.request.signal
      return new Promise(() => {})
    }
    const answer = post(url, rpcBody('SELECT 1')).catch((error: Error) => error)
    await expect.poll(() => signal).toBeDefined()
    expect(await server.close(20)).toEqual({ finishedCount: 0, abortedCount: 1 })
    expect(signal?.aborted).toBe(true)
    expect(await answer).toBeInstanceOf(Error)
  })

  it('is idempotent', async () => {
    const { server } = await open()
    const [first, second] = await Promise.all([server.close(100), server.close(100)])
    expect(first).toEqual(second)
  })

  it('ends long-polls at once', async () => {
    const { api, server, url, services } = await open()
    await post(url, rpcBody('DROP TABLE users'))
    const [id] = services.approvals.byId.keys()
    const waiting = fetch(`${url}/approvals/${id}?wait=25`, { headers: { authorization: `Bearer ${TOKENS.agent}` } })
    await expect.poll(() => services.approvals.waiterCount).toBe(1)
    api.drain()
    const closing = server.close(10_000)
    expect(await (await waiting).json()).toMatchObject({ status: 'pending' })
    expect((await closing).abortedCount).toBe(0)
  })
})

describe('a caller that goes away', () => {
  it('aborts the signal that the gate was given', async () => {
    const { port, services } = await open()
    let signal: AbortSignal | undefined
    services.gate.next = () => {
      signal = services.gate.calls[0]?.request.signal
      return new Promise(() => {})
    }
    const connection = await openRaw(port)
    const body = rpcBody('SELECT 1')
    connection.write(`${head('POST / HTTP/1.1', bearer, JSON_TYPE, `Content-Length: ${body.length}`)}${body}`)
    await expect.poll(() => signal).toBeDefined()
    connection.destroy()
    await expect.poll(() => signal?.aborted).toBe(true)
  })
})
