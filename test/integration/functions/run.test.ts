/** gate.run on a real database: what would outlive the function is ended in order, and its outcome kept. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runParts } from '#functions/gate/run/parts.ts'
import { openDoor } from '#functions/shared/door.ts'
import type { BucketPolicy } from '#functions/shared/index.ts'
import { openEmfMetrics } from '#functions/shared/metrics.ts'
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { parquet } from '#lib/adapters/parquet/index.ts'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { openPolicyKeeper, type Principal, sessionSettings } from '#lib/gate/index.ts'
import type { JsonObject } from '#lib/kernel/index.ts'
import { type Foundation, openApprovals, openCollectingGate } from '#lib/product/index.ts'
import { readConfig } from '#lib/runtime/index.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'
import { memoryStore } from '#test/support/recovery/memory-store.ts'

const AGENT: Principal = { name: 'agent', scopes: ['query:execute'], agentIds: [] }
const SLOW = 'DELETE FROM orders'

let db: TestDatabase
let records: ReturnType<typeof openSqliteRecordStore>
let foundation: Foundation

beforeAll(async () => {
  db = await createTestDatabase(`
    CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 100);
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
    CREATE TRIGGER slow AFTER DELETE ON orders FOR EACH STATEMENT EXECUTE FUNCTION slow()`)
  records = openSqliteRecordStore({ path: ':memory:', clock: systemClock })
  foundation = {
    settings: readConfig({ BACKSTOP_ASSESS_TIMEOUT_MS: '30000', BACKSTOP_STATEMENT_TIMEOUT_MS: '5000' }, '/nowhere'),
    records,
    notifier: { notify: async () => {} },
    metrics: openEmfMetrics('test', () => {}),
    clock: systemClock,
    random: systemRandom,
    log: () => {},
  }
})
afterAll(async () => {
  await records.close()
  await db.drop()
})

async function openPolicy(): Promise<BucketPolicy> {
  const text = JSON.stringify({ require_recovery_for_critical: false, require_sidecar_heartbeat: false })
  const keeper = await openPolicyKeeper({ read: async () => text, levelActions: {}, clock: systemClock })
  return { keeper, refresh: async () => {} }
}

it('ends a statement before the function ends, rolls it back and answers it', async () => {
  const pools: { close(): Promise<void> }[] = []
  const ports = {
    database: db.database,
    snapshots: memoryStore(),
    columnar: parquet,
    policy: await openPolicy(),
    async openGateDatabases(execution: Parameters<typeof sessionSettings>[0]) {
      const shared = { url: db.url, maxConnections: 1, sessionSettings: sessionSettings(execution) }
      const pair = { reads: openPostgres({ ...shared, isPipelined: true }), writes: openPostgres(shared) }
      pools.push(pair.reads, pair.writes)
      return pair
    },
  }
  const { gate } = await openDoor(foundation, ports, { settings: foundation.settings, runsApproved: 'elsewhere' })
  const approvals = openApprovals(foundation)
  const sent: JsonObject[] = []
  const queue = { send: async (_kind: string, body: JsonObject) => `work_${sent.push(body)}` }
  const { environment, clusterId } = foundation.settings
  const collecting = { gate, approvals, records, queue, clock: systemClock, environment, clusterId, waitMs: 0 }
  const door = openCollectingGate(collecting)
  const request = { query: SLOW, agentId: 'bot' }

  const held = await door.execute(AGENT, request)
  if (held.status !== 'approval_required') throw new Error(`it was ${held.status}`)
  await approvals.decide(held.approval_id, { outcome: 'approved', decidedBy: 'operator' })
  // Without the id as well: the door finds the approval by the statement and still does not run it itself.
  expect(await door.execute(AGENT, request)).toMatchObject({ status: 'executing', approval_id: held.approval_id })
  expect(await db.run('SELECT count(*)::int AS n FROM orders')).toEqual([{ n: 100 }])

  const executor = await runParts(foundation, ports)
  const item = { id: 'work_1', kind: 'run', body: sent[0] as JsonObject, attempt: 1 }
  // Twenty seconds before its end it stops: this one has one second to run.
  const report = await executor.handle(item, () => 21_000)
  expect(report).toMatchObject({ outcome: 'done', status: 'failed' })
  expect(await door.execute(AGENT, { ...request, approvalId: held.approval_id })).toMatchObject({
    status: 'failed',
    effect: 'rolled-back',
    error: { code: 'EXECUTION_TIMEOUT' },
  })
  expect(await db.run('SELECT count(*)::int AS n FROM orders')).toEqual([{ n: 100 }])
  expect(await executor.handle(item, () => 60_000)).toMatchObject({ outcome: 'skipped' })
  for (const pool of pools) await pool.close()
})
