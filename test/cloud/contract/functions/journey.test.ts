/** The functions in one process, with the events that the platform makes, over real records, objects, queues and PostgreSQL. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openSnapshotBucket } from '#functions/shared/index.ts'
import { readEvidence } from '#lib/recovery/index.ts'
import { httpApiEvent, lambdaContext } from '#test/support/functions/event.ts'
import { type FunctionWorld, openFunctionWorld } from '#test/support/functions/world.ts'
import { TOKENS } from '#test/support/product.ts'

type Handler = (event: unknown, context: unknown) => Promise<unknown>
interface Handlers {
  readonly authorize: Handler
  readonly query: Handler
  readonly run: Handler
  readonly approve: Handler
  readonly inspect: Handler
  readonly administer: Handler
  readonly expire: Handler
  readonly seal: Handler
  readonly plan: Handler
  readonly capture: Handler
  readonly verify: Handler
  readonly drill: Handler
  readonly watch: Handler
}

let world: FunctionWorld
let handlers: Handlers

async function load(): Promise<Handlers> {
  const gate = ['authorize', 'query', 'run', 'approve', 'inspect', 'administer', 'expire', 'seal']
  const recovery = ['plan', 'capture', 'verify', 'drill', 'watch']
  const modules = await Promise.all([
    ...gate.map(async (name) => [name, (await import(`../../../../functions/gate/${name}/handler.ts`)).handler]),
    ...recovery.map(async (name) => [
      name,
      (await import(`../../../../functions/recovery/${name}/handler.ts`)).handler,
    ]),
  ])
  return Object.fromEntries(modules)
}

beforeAll(async () => {
  world = await openFunctionWorld(
    inject('cloudEndpoint'),
    'CREATE TABLE orders (id int PRIMARY KEY, total numeric); INSERT INTO orders SELECT i, i FROM generate_series(1, 50) i',
  )
  handlers = await load()
})
afterAll(() => world.close())

/** As API Gateway does it: the authorizer first, then the function with what it said. */
async function call(part: keyof Handlers, token: string | undefined, method: string, path: string, body?: unknown) {
  const headers: Record<string, string> = {
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
  }
  const text = body === undefined ? {} : { body: JSON.stringify(body) }
  const event = httpApiEvent({ method, path, headers, ...text })
  const answer = (await handlers.authorize(event, lambdaContext(5_000))) as { context: unknown }
  const called = httpApiEvent({ method, path, headers, ...text, verdict: answer.context })
  const result = (await handlers[part](called, lambdaContext())) as { statusCode: number; body: string }
  return { status: result.statusCode, body: result.body === '' ? undefined : JSON.parse(result.body) }
}

async function query(sql: string, more: object = {}) {
  const params = { name: 'execute_query', arguments: { query: sql, agent_id: 'tester', ...more } }
  const reply = await call('query', TOKENS.agent, 'POST', '/', { jsonrpc: '2.0', id: 1, method: 'tools/call', params })
  return reply.body.result ?? reply.body
}

/** The event source mapping: whatever lies in the queue goes to gate.run. */
async function runQueued(): Promise<unknown> {
  const batch = await world.receive('run')
  return batch.Records.length === 0 ? undefined : handlers.run(batch, lambdaContext(60_000))
}

/** What each drill left in the bucket. */
async function evidence(): Promise<readonly string[]> {
  const objects = openSnapshotBucket()
  const { drills, problems } = await readEvidence(objects)
  expect(problems).toEqual([])
  return drills.map((drill) => `${drill.evidence.kind} ${drill.evidence.result}`).sort()
}

describe('the functions', () => {
  it('run a read and write it into the ledger', async () => {
    expect(await query('SELECT count(*)::int AS n FROM orders')).toMatchObject({
      status: 'executed',
      rows: [{ n: 50 }],
    })
  })

  it('plan what to capture, and capture it from the queue', async () => {
    await handlers.plan({ id: 'plan-1' }, lambdaContext(55_000))
    const batch = await world.receive('capture')
    expect(batch.Records).toHaveLength(1)
    expect(await handlers.capture(batch, lambdaContext(900_000))).toEqual({ batchItemFailures: [] })
    const points = await call('inspect', TOKENS.operator, 'GET', '/metadata/snapshots')
    expect(points.body).toMatchObject([{ table: 'orders', status: 'valid', row_count: 50 }])
  })

  it('hold a destruction, run it once it is approved, and answer it to the one who asked', async () => {
    const held = await query('DROP TABLE orders')
    expect(held).toMatchObject({ status: 'approval_required', risk_level: 'CRITICAL' })
    const id = held.approval_id as string
    expect((await call('approve', TOKENS.operator, 'POST', `/approve/${id}`, {})).status).toBe(200)
    const answering = query('DROP TABLE orders', { approval_id: id })
    let batch: unknown
    while (batch === undefined) batch = await runQueued()
    expect(batch).toEqual({ batchItemFailures: [] })
    const answer = await answering
    expect(answer).toMatchObject({ status: 'executed', command: 'DROP TABLE', approval_id: id })
    expect(answer.recovery_points).toHaveLength(1)
    expect(await query('DROP TABLE orders', { approval_id: id })).toEqual(answer)
  })

  it('show what happened', async () => {
    const health = await call('inspect', TOKENS.operator, 'GET', '/metadata/health')
    expect(health.body).toMatchObject({ storage_accessible: true, database_reachable: true })
    const audit = await call('inspect', TOKENS.operator, 'GET', '/metadata/audit')
    expect(audit.body.items.length).toBeGreaterThanOrEqual(3)
    const status = await call('administer', TOKENS.admin, 'GET', '/admin/status')
    expect(status.body.tokens.map(({ id }: { id: string }) => id)).toContain('operator-two')
  })

  it('expire and seal by the clock', async () => {
    await handlers.expire({ id: 'event-1' }, lambdaContext(55_000))
    await handlers.seal({ id: 'event-2' }, lambdaContext(55_000))
    const { Records } = await world.receive('alert')
    expect(Records.map(({ body }) => body).join()).toContain('audit_anchor')
  })

  it('read back, drill and watch by the clock', async () => {
    await world.db.run('CREATE TABLE IF NOT EXISTS orders (id int)')
    for (const name of ['verify', 'drill', 'watch'] as const) {
      await handlers[name]({ id: `${name}-1` }, lambdaContext(900_000))
    }
    const audit = await call('inspect', TOKENS.operator, 'GET', '/metadata/alerts')
    const events = audit.body.items.map(({ event_type }: { event_type: string }) => event_type)
    expect(events).not.toContain('audit_broken')
    expect(events).not.toContain('drill_failed')
    expect(await evidence()).toEqual([
      'logical-backup-restore skipped',
      'pitr-prepare ok',
      'pitr-restore skipped',
      'table-restore ok',
      'wal-archive-fetch ok',
    ])
  })
})
