/** Instances that end in the middle, and more of them than the database has room for. */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { openDynamoRecordStore, type SqsBatchEvent } from '#lib/adapters/aws/index.ts'
import { startCluster } from '#lib/adapters/embedded/index.ts'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { openS3ObjectStore } from '#lib/adapters/s3/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import type { JsonObject } from '#lib/kernel/index.ts'
import { eventually } from '#test/support/eventually.ts'
import { httpApiEvent } from '#test/support/functions/event.ts'
import { type Instance, startInstance } from '#test/support/functions/start-instance.ts'
import { type FunctionWorld, openFunctionWorld } from '#test/support/functions/world.ts'

const SEED = `CREATE TABLE orders (id int PRIMARY KEY, total int NOT NULL);
              INSERT INTO orders SELECT i, i FROM generate_series(1, 50) i`
const AGENT = { name: 'agent', scopes: ['query:execute'], agentIds: [] }
const OPERATOR = { name: 'operator', scopes: ['approval:read', 'approval:write'], agentIds: [] }

let world: FunctionWorld
const instances: Instance[] = []
beforeAll(async () => {
  world = await openFunctionWorld(inject('cloudEndpoint'), SEED)
  // The first minute: the heartbeat beats, and the table's capture is ordered.
  const planner = await start('recovery/plan')
  await planner.invoke({ id: 'minute-1' }, 55_000)
})
afterEach(async () => {
  await Promise.all(instances.splice(0).map((instance) => instance.kill()))
})
afterAll(() => world.close())

async function start(name: string, more: Readonly<Record<string, string>> = {}): Promise<Instance> {
  const { PATH, HOME } = process.env
  const instance = await startInstance(name, { PATH, HOME, ...world.environment, ...more })
  instances.push(instance)
  return instance
}

function eventOf(principal: object, path: string, body: object) {
  const verdict = { verdict: 'principal', principal: JSON.stringify(principal), message: '' }
  const headers = { 'Content-Type': 'application/json' }
  return httpApiEvent({ method: 'POST', path, headers, body: JSON.stringify(body), verdict })
}

async function send(instance: Instance, principal: object, path: string, body: object) {
  const answer = (await instance.invoke(eventOf(principal, path, body))) as { statusCode: number; body: string }
  return { status: answer.statusCode, body: JSON.parse(answer.body) }
}

async function execute(instance: Instance, query: string, more: object = {}) {
  const params = { name: 'execute_query', arguments: { query, agent_id: 'tester', ...more } }
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
  const reply = await send(instance, AGENT, '/', call)
  return reply.body.result ?? reply.body
}

const tableStore = () => {
  const { environment } = world
  return openDynamoRecordStore({
    table: environment['BACKSTOP_TABLE'] as string,
    clock: systemClock,
    client: {
      region: environment['AWS_REGION'] as string,
      endpoint: environment['AWS_ENDPOINT_URL'] as string,
      credentials: { accessKeyId: environment['AWS_ACCESS_KEY_ID'] as string, secretAccessKey: 'test' },
    },
  })
}

const snapshotKeys = async () => {
  const { environment } = world
  const store = openS3ObjectStore({
    bucket: environment['BACKSTOP_SNAPSHOT_BUCKET'] as string,
    region: environment['AWS_REGION'] as string,
    endpoint: environment['AWS_ENDPOINT_URL'] as string,
    credentials: { accessKeyId: environment['AWS_ACCESS_KEY_ID'] as string, secretAccessKey: 'test' },
    forcePathStyle: true,
    clock: systemClock,
    random: systemRandom,
  })
  return (await store.list('')).objects.map(({ key }) => key)
}

/** On a connection past the product. */
async function ask<Row extends object>(sql: string): Promise<Row[]> {
  const database = openPostgres({ url: world.db.url, maxConnections: 1 })
  try {
    return await database.withSession((session) => session.query<Row>(sql))
  } finally {
    await database.close()
  }
}

/** Holds a lock until it is let go: whoever needs it is in the middle of its work for as long. */
async function lockTable(mode: string): Promise<() => Promise<void>> {
  const database = openPostgres({ url: world.db.url, maxConnections: 1 })
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let locked = () => {}
  const isLocked = new Promise<void>((resolve) => {
    locked = resolve
  })
  const holding = database.withDedicatedSession(async (session) => {
    await session.execute(`BEGIN; LOCK TABLE orders IN ${mode} MODE`)
    locked()
    await released
    await session.execute('ROLLBACK')
  })
  await isLocked
  return async () => {
    release()
    await holding
    await database.close()
  }
}

const waitingForLock = () =>
  ask<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  )

async function approve(query: string): Promise<{ readonly approvalId: string; readonly agent: Instance }> {
  const agent = await start('gate/query')
  const held = await execute(agent, query)
  expect(held, held.message).toMatchObject({ status: 'approval_required' })
  const operators = await start('gate/approve')
  expect((await send(operators, OPERATOR, `/approve/${held.approval_id}`, {})).status).toBe(200)
  return { approvalId: held.approval_id, agent }
}

async function receiveRun(): Promise<SqsBatchEvent> {
  let batch: SqsBatchEvent = { Records: [] }
  await eventually(async () => {
    batch = await world.receive('run')
    return batch.Records.length > 0
  })
  return batch
}

describe('an instance that ends in the middle of a capture', () => {
  it('leaves no point, and the next delivery takes one', async () => {
    let batch: SqsBatchEvent = { Records: [] }
    await eventually(async () => {
      batch = await world.receive('capture')
      return batch.Records.length > 0
    })
    expect(batch.Records.map((record) => record.body).join()).toContain('orders')
    const before = (await snapshotKeys()).filter((key) => key.endsWith('manifest.json'))
    const unlock = await lockTable('ACCESS EXCLUSIVE')
    const worker = await start('recovery/capture')
    const running = worker.invoke(batch, 60_000).catch((error: Error) => error.message)
    await eventually(async () => (await waitingForLock()).length > 0, { timeoutMs: 60_000, everyMs: 50 })
    await worker.kill()
    await running
    await unlock()
    const manifests = (await snapshotKeys()).filter((key) => key.endsWith('manifest.json'))
    expect(manifests).toEqual(before)

    const next = await start('recovery/capture')
    await eventually(
      async () => {
        await next.invoke(batch, 60_000)
        return (await snapshotKeys()).filter((key) => key.endsWith('manifest.json')).length > before.length
      },
      { timeoutMs: 90_000, everyMs: 1_000, what: 'a point from the delivery after the kill' },
    )
  })
})

describe('an instance that ends in the middle of an approved statement', () => {
  it('leaves an outcome that is unknown, is reconciled, and never runs again', async () => {
    const query = 'UPDATE orders SET total = total + 1'
    const { approvalId, agent } = await approve(query)
    const first = execute(agent, query, { approval_id: approvalId })
    const batch = await receiveRun()
    const unlock = await lockTable('SHARE')
    const executor = await start('gate/run', { BACKSTOP_LOCK_TIMEOUT_MS: '60000' })
    const running = executor.invoke(batch, 60_000).catch((error: Error) => error.message)
    await eventually(async () => (await waitingForLock()).length > 0, { timeoutMs: 60_000, everyMs: 50 })
    await executor.kill()
    expect(await running).toContain('ended before it answered')
    await unlock()
    await eventually(async () => (await waitingForLock()).length === 0)
    expect((await first).status).toBe('executing')

    const another = await start('gate/run')
    expect(await another.invoke(batch, 60_000)).toEqual({ batchItemFailures: [] })
    expect(await ask('SELECT sum(total)::int AS sum FROM orders')).toEqual([{ sum: 1275 }])

    await ageTicket(approvalId)
    const collected = await execute(agent, query, { approval_id: approvalId })
    expect(collected).toMatchObject({ status: 'failed', effect: 'unknown', error: { code: 'EXECUTION_UNKNOWN' } })
    expect(await another.invoke(batch, 60_000)).toEqual({ batchItemFailures: [] })
    expect(await ask('SELECT sum(total)::int AS sum FROM orders')).toEqual([{ sum: 1275 }])
  })
})

/** What sixteen minutes do to a ticket. */
async function ageTicket(approvalId: string): Promise<void> {
  const records = tableStore()
  const { records: found } = await records.query({ partition: `run-ticket#${approvalId}` })
  expect(found).toMatchObject([{ body: { progress: { state: 'running' } } }])
  for (const { version, ...record } of found) {
    const startedAt = new Date(Date.now() - 17 * 60_000).toISOString()
    const progress = { ...(record.body['progress'] as JsonObject), startedAt }
    const body = { ...record.body, progress }
    await records.write({ kind: 'replace', record: { ...record, body }, expectedVersion: version })
  }
}

describe('a storm of cold starts', () => {
  it('gets clear refusals where the database has no room, loses nothing, and serves all when there is room', async () => {
    const cluster = await startCluster({ settings: { max_connections: '8', superuser_reserved_connections: '3' } })
    try {
      const url = new URL(cluster.urlFor('postgres'))
      const owner = openPostgres({ url: url.href, maxConnections: 1 })
      await owner.withSession((session) =>
        session.execute(`CREATE ROLE guest LOGIN PASSWORD 'local'; GRANT pg_read_all_data TO guest; ${SEED}`),
      )
      await owner.close()
      await world.setDatabaseSecret('guest', 'local')
      const place = { BACKSTOP_DB_HOST: url.hostname, BACKSTOP_DB_PORT: url.port, BACKSTOP_DB_NAME: 'postgres' }
      const storm = await Promise.all(Array.from({ length: 8 }, () => start('gate/query', place)))
      const read = (instance: Instance) =>
        send(instance, AGENT, '/', {
          jsonrpc: '2.0',
          id: randomUUID(),
          method: 'tools/call',
          params: { name: 'execute_query', arguments: { query: 'SELECT sum(total) FROM orders', agent_id: 'tester' } },
        })
      const answers = await Promise.all(storm.map(read))
      const served = answers.filter(({ body }) => body.result?.status === 'executed')
      const refused = answers.filter(({ body }) => body.result?.status !== 'executed')
      process.stderr.write(
        `storm of 8 instances on 8 connections, 3 of them reserved: ${served.length} served, ${refused.length} refused\n`,
      )
      expect(served.length, JSON.stringify(refused[0]?.body)).toBeGreaterThan(0)
      expect(refused.length).toBeGreaterThan(0)
      for (const { body } of served) expect(body.result.rows).toEqual([{ sum: '1275' }])
      for (const answer of refused)
        expect(JSON.stringify(answer.body)).toMatch(/DATABASE_UNREACHABLE|database_unreachable/)
      await Promise.all(storm.slice(2).map((instance) => instance.kill()))
      for (const instance of storm.slice(0, 2)) {
        await eventually(async () => (await read(instance)).body.result?.status === 'executed', {
          timeoutMs: 60_000,
          everyMs: 200,
        })
      }
    } finally {
      await cluster.stop()
    }
  })
})
