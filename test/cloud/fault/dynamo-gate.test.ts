/** The gate on a bad day of its records: no intent, no execution; and an effect that stands is never hidden. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import type { DynamoRecordStore } from '#lib/adapters/aws/index.ts'
import { openDynamoRecordStore } from '#lib/adapters/aws/index.ts'
import { systemClock } from '#lib/adapters/system/index.ts'
import type { QueryAnswer } from '#lib/gate/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'
import { accountSettings, createTestTable, type TestTable } from '#test/support/cloud/dynamo.ts'
import type { Fault, FaultProxy } from '#test/support/cloud/fault-proxy.ts'
import { startFaultProxy } from '#test/support/cloud/fault-proxy.ts'
import type { TestGate } from '#test/support/cloud/gate.ts'
import { openTestGate } from '#test/support/cloud/gate.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'

let proxy: FaultProxy
let db: TestDatabase
let store: DynamoRecordStore
let direct: TestGate
let directStore: DynamoRecordStore
let gate: TestGate
let place: TestTable

/** Impatient only where nothing will answer: a busy machine is no outage. */
async function openThroughProxy(requestTimeoutMs = 30_000): Promise<void> {
  const client = { ...place.client, endpoint: proxy.endpoint, requestTimeoutMs, attempts: 2 }
  store = openDynamoRecordStore({ table: place.table, client, clock: systemClock })
  gate = await openTestGate({ records: store, databaseUrl: db.url })
}

async function closeThroughProxy(): Promise<void> {
  await gate.close()
  store.close()
}

/** Read through a function that leaves a trace: a sequence moves even when its transaction is rolled back. */
const SEED = `CREATE TABLE orders (id int PRIMARY KEY, note text);
CREATE SEQUENCE touched;
INSERT INTO orders SELECT i, 'order ' || i FROM generate_series(1, 100) i; ANALYZE orders`

beforeAll(async () => {
  db = await createTestDatabase(SEED)
  proxy = await startFaultProxy({ upstream: inject('cloudEndpoint') })
})
beforeEach(async () => {
  place = await createTestTable(accountSettings(inject('cloudEndpoint')))
  directStore = openDynamoRecordStore({ ...place, clock: systemClock })
  direct = await openTestGate({ records: directStore, databaseUrl: db.url })
  await openThroughProxy()
})
afterEach(async () => {
  proxy.clear()
  await closeThroughProxy()
  await direct.close()
  directStore.close()
})
afterAll(async () => {
  await proxy.close()
  await db.drop()
})

const principal = { name: 'agent', scopes: ['query:execute'], agentIds: [] }
const execute = (query: string): Promise<QueryAnswer> =>
  gate.parts.gate.execute(principal, { query, agentId: 'tester' })
const count = async () => Number((await db.run('SELECT count(*) AS n FROM orders'))[0]?.['n'])
const touches = async () => (await db.run('SELECT is_called FROM touched'))[0]?.['is_called']

const DAYS: readonly Fault[] = [
  { kind: 'throttle' },
  { kind: 'error', status: 500, name: 'InternalServerError' },
  { kind: 'error', status: 400, name: 'AccessDeniedException' },
  { kind: 'reset-before' },
  { kind: 'reset-after' },
  { kind: 'hang' },
]

describe('with a store that cannot be reached', () => {
  it.each(DAYS)('executes nothing: %j', async (fault) => {
    const before = await count()
    if (fault.kind === 'hang') {
      await closeThroughProxy()
      await openThroughProxy(1_000)
    }
    proxy.add({ fault })
    const statements = [
      `INSERT INTO orders VALUES (${before + 1}, 'new')`,
      'DELETE FROM orders WHERE id = 1',
      "SELECT nextval('touched')",
      'SELECT * FROM orders',
    ]
    for (const statement of statements) {
      const outcome = await execute(statement).then(
        (answer) => answer.status,
        (error: unknown) => (isBackstopError(error) ? error.code : error),
      )
      expect(outcome).toBe('AUDIT_UNAVAILABLE')
    }
    expect(await count()).toBe(before)
    expect(await touches()).toBe(false)
  })

  it('executes again when the store is back', async () => {
    const remove = proxy.add({ fault: { kind: 'reset-before' } })
    await expect(execute("INSERT INTO orders VALUES (500, 'x')")).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
    remove()
    expect((await execute("INSERT INTO orders VALUES (500, 'x')")).status).toBe('executed')
    await db.run('DELETE FROM orders WHERE id = 500')
  })
})

describe('with an intent that is kept while the pause cannot be read', () => {
  it('executes nothing and says why', async () => {
    const before = await count()
    proxy.add({ operation: 'GetItem', fault: { kind: 'throttle' } })
    const answer = await execute(`INSERT INTO orders VALUES (600, 'x')`)
    expect(answer).toMatchObject({ status: 'failed' })
    expect(await count()).toBe(before)
    const { events } = await direct.parts.ledger.list()
    expect(events.map((event) => event.result?.outcome)).toEqual(['failed'])
  })
})

describe('with a store that goes away between the effect and its outcome', () => {
  it('answers with the effect, tells operators, and leaves the event open until it is reconciled as unknown', async () => {
    const before = await count()
    proxy.add({ operation: 'TransactWriteItems', on: [2, 3, 4, 5, 6, 7, 8], fault: { kind: 'reset-before' } })
    const answer = await execute(`INSERT INTO orders VALUES (700, 'x')`)
    expect(answer).toMatchObject({ status: 'executed', rows_affected: 1 })
    expect(await count()).toBe(before + 1)
    expect(gate.alerts.map((alert) => alert.eventType)).toContain('audit_outcome_missing')
    const { ledger } = direct.parts
    expect(await ledger.countOpen()).toBe(1)
    expect(await ledger.reconcile(0)).toBe(1)
    expect((await ledger.list()).events[0]?.result).toMatchObject({ outcome: 'unknown', facts: { reconciled: true } })
    await db.run('DELETE FROM orders WHERE id = 700')
  })
})

describe('with answers that get lost', () => {
  it('keeps one intent and one outcome for each statement', async () => {
    proxy.add({ operation: 'TransactWriteItems', on: [1, 3], fault: { kind: 'reset-after' } })
    expect((await execute(`INSERT INTO orders VALUES (800, 'x')`)).status).toBe('executed')
    await gate.parts.gate.settled()
    expect(proxy.calls.filter((call) => call.fault === 'reset-after')).toHaveLength(2)
    const { events } = await direct.parts.ledger.list()
    expect(events.map((event) => event.result?.outcome)).toEqual(['executed'])
    expect(await direct.parts.ledger.countOpen()).toBe(0)
    await db.run('DELETE FROM orders WHERE id = 800')
  })
})
