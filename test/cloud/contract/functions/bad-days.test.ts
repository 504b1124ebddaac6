/** Bad days of the functions: tokens taken away, passwords rotated, policies changed and broken, events that come twice. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { eventually } from '#test/support/eventually.ts'
import { httpApiEvent, lambdaContext } from '#test/support/functions/event.ts'
import { type FunctionWorld, openFunctionWorld } from '#test/support/functions/world.ts'
import { TOKEN_FILE, TOKENS } from '#test/support/product.ts'

type Handler = (event: unknown, context: unknown) => Promise<unknown>

let world: FunctionWorld
const gate = async (name: string): Promise<Handler> =>
  (await import(`../../../../functions/gate/${name}/handler.ts`)).handler
const recovery = async (name: string): Promise<Handler> =>
  (await import(`../../../../functions/recovery/${name}/handler.ts`)).handler

beforeAll(async () => {
  world = await openFunctionWorld(inject('cloudEndpoint'), 'CREATE TABLE orders (id int PRIMARY KEY)')
})
afterAll(() => world.close())

async function ask(part: Handler, token: string, method: string, path: string, body?: string) {
  const authorize = await gate('authorize')
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const shape = { method, path, headers, ...(body === undefined ? {} : { body }) }
  const { context } = (await authorize(httpApiEvent(shape), lambdaContext(5_000))) as { context: unknown }
  const result = (await part(httpApiEvent({ ...shape, verdict: context }), lambdaContext())) as {
    statusCode: number
    body: string
  }
  return { status: result.statusCode, body: JSON.parse(result.body) }
}

const select = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'execute_query', arguments: { query: 'SELECT 1 AS one', agent_id: 'bot' } },
})

describe('the functions on a bad day', () => {
  it('go on with the new password after a rotation, without a restart', async () => {
    const query = await gate('query')
    const role = `rotating_${process.pid}`
    await world.db.run(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD 'before-rotation'`)
    await world.setDatabaseSecret(role, 'before-rotation')
    expect((await ask(query, TOKENS.agent, 'POST', '/', select)).body.result).toMatchObject({ status: 'executed' })
    await world.db.run(`ALTER ROLE ${role} PASSWORD 'after-rotation'`)
    await world.setDatabaseSecret(role, 'after-rotation')
    await world.db.run(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}' AND pid <> pg_backend_pid()`,
    )
    const after = await eventually(async () => {
      const { body } = await ask(query, TOKENS.agent, 'POST', '/', select)
      return body.result?.status === 'executed' ? body.result : undefined
    })
    expect(after).toMatchObject({ rows: [{ one: 1 }] })
  })

  it('let nobody in whose token was taken away, once its copy is old', async () => {
    const approve = await gate('approve')
    expect((await ask(approve, TOKENS.operator, 'GET', '/pending')).status).toBe(200)
    const left = JSON.parse(TOKEN_FILE).filter(({ id }: { id: string }) => id !== 'operator')
    await world.setTokens(JSON.stringify(left))
    await eventually(async () => {
      const { status } = await ask(approve, TOKENS.operator, 'GET', '/pending')
      return status === 401 ? status : undefined
    })
    expect((await ask(approve, TOKENS.operator2, 'GET', '/pending')).status).toBe(200)
  })

  it('do a scheduled task once for an event that comes twice, and none for one that overlaps', async () => {
    const expire = await gate('expire')
    await Promise.all([1, 2, 3].map(() => expire({ id: 'once' }, lambdaContext(55_000))))
    await expire({ id: 'once' }, lambdaContext(55_000))
    await expire({ id: 'another' }, lambdaContext(55_000))
    const { openTable } = await import('#functions/shared/index.ts')
    const record = await openTable().find({ partition: 'schedule', sort: 'gate.expire' })
    expect(record?.body).toMatchObject({ runCount: 2, failureCount: 0, occurrence: 'another' })
  })

  it('leave a poisoned order in the queue by itself, and carry out its neighbour', async () => {
    const capture = await recovery('capture')
    const plan = await recovery('plan')
    await plan({ id: 'plan-1' }, lambdaContext(55_000))
    const batch = await world.receive('capture')
    expect(batch.Records).toHaveLength(1)
    const [good] = batch.Records
    if (good === undefined) throw new Error('no order')
    const poisoned = { ...good, messageId: 'poisoned', attributes: { MessageGroupId: 'p' }, body: '{"kind":"capture"' }
    const foreign = {
      ...good,
      messageId: 'foreign',
      attributes: { MessageGroupId: 'f' },
      body: JSON.stringify({ kind: 'capture', body: { relation: 'orders' } }),
    }
    const response = await capture({ Records: [poisoned, good, foreign] }, lambdaContext(900_000))
    expect(response).toEqual({
      batchItemFailures: [{ itemIdentifier: 'poisoned' }, { itemIdentifier: 'foreign' }],
    })
    await expect(capture({}, lambdaContext())).rejects.toMatchObject({ code: 'WORK_INVALID' })
  })
})
