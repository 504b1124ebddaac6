import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestProduct, type TestProduct, TOKENS } from '#test/support/product.ts'

let t: TestProduct
beforeAll(async () => {
  t = await startTestProduct({ seedSql: 'CREATE TABLE rows AS SELECT generate_series(1, 20) AS id' })
})
afterAll(() => t.stop())

const rowCount = async () => (await t.db.run('SELECT count(*)::int AS n FROM rows'))[0]?.['n']

type Headers = readonly (readonly [string, string])[]

/** Headers are sent as they stand, repeated ones too. */
function send(method: string, path: string, headers: Headers, body = ''): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const url = new URL(t.product.url)
  const flat = [...headers, ['Host', url.host], ['Content-Length', String(Buffer.byteLength(body))]].flat()
  const sent = request({ host: url.hostname, port: url.port, method, path, headers: flat }, (response) => {
    let text = ''
    response.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
  })
  // A server that has refused may close before the body is sent.
  sent.on('error', (error: NodeJS.ErrnoException) =>
    ['ECONNRESET', 'EPIPE'].includes(error.code ?? '') ? resolve({ status: 0, body: '' }) : reject(error),
  )
  sent.end(body)
  return promise
}

const JSON_TYPE = ['Content-Type', 'application/json'] as const
const bearer = (token: string) => ['Authorization', `Bearer ${token}`] as const
const call = (query: string, more: object = {}) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'execute_query', arguments: { query, agent_id: 'a', ...more } },
})
const DELETE = 'DELETE FROM rows WHERE id = 1'
const token: string = TOKENS.agent

describe('credentials that are nearly right', () => {
  it.each<readonly [string, Headers]>([
    ['none', []],
    ['empty', [bearer('')]],
    ['a letter less', [bearer(token.slice(0, -1))]],
    ['a letter more', [bearer(`${token}a`)]],
    ['a letter changed', [bearer(`b${token.slice(1)}`)]],
    ['upper case', [bearer(token.toUpperCase())]],
    ['quoted', [bearer(`"${token}"`)]],
    ['two tokens in one header', [bearer(`${token}, ${TOKENS.admin}`)]],
    ['two headers', [bearer('wrong'), bearer(token)]],
    ['a wrong one beside the right one', [['X-Backstop-Token', 'wrong'], bearer(token)]],
    ['Basic', [['Authorization', `Basic ${Buffer.from(`agent:${token}`).toString('base64')}`]]],
    ['Token', [['Authorization', `Token ${token}`]]],
    ['the id in place of the token', [bearer('agent')]],
    ['the development token', [bearer('dev-token')]],
    ['a cookie', [['Cookie', `token=${token}`]]],
    [
      'a forwarded user',
      [
        ['X-Forwarded-User', 'admin'],
        ['X-Real-IP', '127.0.0.1'],
      ],
    ],
  ])('open nothing: %s', async (_, headers) => {
    const reply = await send('POST', '/', [...headers, JSON_TYPE], JSON.stringify(call(DELETE)))
    expect([401, 429]).toContain(reply.status)
    expect(await rowCount()).toBe(20)
  })

  it('do not become more by a path, a method or a header that names another', async () => {
    const headers: Headers = [bearer(token), JSON_TYPE]
    const tries: readonly (readonly [string, string, Headers])[] = [
      ['POST', '/approve/../admin/pause', headers],
      ['POST', '//admin/pause', headers],
      ['POST', '/admin/pause/', headers],
      ['POST', '/admin%2Fpause', headers],
      ['POST', '/ADMIN/PAUSE', headers],
      ['POST', '/admin/pause?scope=admin:*', headers],
      ['GET', '/admin/status', [...headers, ['X-Original-URL', '/health']]],
      ['POST', '/health', [...headers, ['X-HTTP-Method-Override', 'DELETE'], ['X-Rewrite-URL', '/admin/pause']]],
      ['GET', '/pending', [...headers, ['X-Scopes', 'approval:read']]],
      ['GET', '/metadata/audit', headers],
      ['GET', '/metrics', headers],
    ]
    for (const [method, path, tried] of tries) {
      const reply = await send(method, path, tried, method === 'POST' ? '{}' : '')
      expect([403, 404, 405], `${method} ${path} → ${reply.status}`).toContain(reply.status)
    }
    expect((await t.call('admin', 'GET', '/admin/status')).body.pause.paused).toBe(false)
  })
})

describe('bodies that are not what they seem', () => {
  const headers: Headers = [bearer(token), JSON_TYPE]

  it.each<readonly [string, string]>([
    ['not JSON', '{"jsonrpc": "2.0",'],
    ['a number', '5'],
    ['an empty batch', '[]'],
    ['a batch of nothing', '[null, 5, "x", []]'],
    ['a notification', JSON.stringify({ ...call(DELETE), id: undefined })],
    ['an id that is an object', JSON.stringify({ ...call(DELETE), id: { a: 1 } })],
    ['an id that is a list', JSON.stringify({ ...call(DELETE), id: [1] })],
    ['another version', JSON.stringify({ ...call(DELETE), jsonrpc: '1.0' })],
    ['a method by prototype', JSON.stringify({ ...call(DELETE), method: 'constructor' })],
    ['a tool by prototype', JSON.stringify({ ...call(DELETE), params: { name: '__proto__', arguments: {} } })],
    [
      'arguments with a prototype',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"execute_query","arguments":{"__proto__":{"query":"DELETE FROM rows","agent_id":"a"}}}}',
    ],
    ['another database', JSON.stringify(call(DELETE, { db_url: 'postgresql://elsewhere' }))],
    ['an unknown argument', JSON.stringify(call(DELETE, { force: true }))],
    ['a query that is a list', JSON.stringify(call(['SELECT 1', DELETE] as unknown as string))],
    ['a query that is an object', JSON.stringify(call({ toString: 'x' } as unknown as string))],
    ['an agent_id with a line break', JSON.stringify(call(DELETE, { agent_id: 'a\nb' }))],
    ['an agent_id of another script', JSON.stringify(call(DELETE, { agent_id: 'аgent' }))],
    ['parameters that are objects', JSON.stringify(call('SELECT $1', { parameters: [{ a: 1 }] }))],
    [
      'a number that is not exact',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"execute_query","arguments":{"query":"SELECT $1","agent_id":"a","parameters":[12345678901234567890]}}}',
    ],
  ])('run nothing: %s', async (_, body) => {
    const reply = await send('POST', '/', headers, body)
    expect([200, 204, 400, 403]).toContain(reply.status)
    expect(reply.body).not.toContain('"executed"')
    expect(await rowCount()).toBe(20)
  })

  it('are refused when they are too large, compressed or of another type', async () => {
    const large = JSON.stringify(call(`SELECT '${'x'.repeat(3_000_000)}'`))
    expect([413, 400, 0]).toContain((await send('POST', '/', headers, large)).status)
    expect((await send('POST', '/', [...headers, ['Content-Encoding', 'gzip']], 'x')).status).toBe(415)
    const form: Headers = [bearer(token), ['Content-Type', 'application/x-www-form-urlencoded']]
    expect((await send('POST', '/', form, JSON.stringify(call(DELETE)))).status).toBe(415)
    const two: Headers = [bearer(token), JSON_TYPE, ['Content-Type', 'text/plain']]
    expect((await send('POST', '/', two, JSON.stringify(call(DELETE)))).status).toBeGreaterThanOrEqual(400)
    expect(await rowCount()).toBe(20)
  })

  it('judge the member that is run when it comes twice', async () => {
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"execute_query","arguments":{"query":"SELECT 1","agent_id":"a","query":"DELETE FROM rows"}}}`
    const reply = await send('POST', '/', headers, body)
    expect(reply.body).not.toContain('"executed"')
    expect(await rowCount()).toBe(20)
  })

  it('answer every id of a batch once, also when ids repeat', async () => {
    const batch = [call('SELECT 1'), call('SELECT 2'), { ...call('SELECT 3'), id: '1' }]
    const reply = await send('POST', '/', headers, JSON.stringify(batch))
    const answers = JSON.parse(reply.body) as { id: unknown; result: { rows: unknown } }[]
    expect(answers.map(({ id }) => id)).toEqual([1, 1, '1'])
    expect(JSON.stringify(answers.map(({ result }) => result.rows))).toMatch(/1.*2.*3/)
  })
})
