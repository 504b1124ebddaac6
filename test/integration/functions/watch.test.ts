/** recovery.watch on a real database: sessions of agents, tables that are gone, and the figures of them. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { watchParts } from '#functions/recovery/watch/parts.ts'
import { openEmfMetrics } from '#functions/shared/metrics.ts'
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import type { Alert } from '#lib/ports/index.ts'
import type { Foundation } from '#lib/product/index.ts'
import { readConfig } from '#lib/runtime/index.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'

let db: TestDatabase
let records: ReturnType<typeof openSqliteRecordStore>
let role: string
const lines: string[] = []
const told: Alert[] = []

beforeAll(async () => {
  db = await createTestDatabase('CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE other (id int)')
  role = `agents_${db.name}`
  await db.run(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`)
  records = openSqliteRecordStore({ path: ':memory:', clock: systemClock })
})
afterAll(async () => {
  await records.close()
  await db.run(`DROP ROLE ${role}`)
  await db.drop()
})

/** As in an instance that has just been made: nothing is kept but the records. */
async function run() {
  const metrics = openEmfMetrics('test', (line) => lines.push(line))
  const foundation: Foundation = {
    settings: readConfig({ BACKSTOP_AGENT_ROLE: role }, '/nowhere'),
    records,
    notifier: { notify: async (alert) => void told.push(alert) },
    metrics,
    clock: systemClock,
    random: systemRandom,
    log: () => {},
  }
  const facts = await watchParts(foundation, db.database).run(AbortSignal.timeout(60_000))
  metrics.flush()
  return facts
}

const events = () =>
  told.map(({ eventType, facts }) => `${eventType} ${facts['table'] ?? facts['user'] ?? facts['role']}`)

it('tells of a session and of a table once, whichever instance looks', async () => {
  expect(await run()).toMatchObject({ sessions: 0, tables: 2, dropped: 0, posture: 'degraded', isCapturing: true })
  expect(events()).toEqual([`agent_role_can_login ${role}`])
  const agent = openPostgres({ url: db.urlAs(role, 'x'), applicationName: 'psql' })
  await agent.withDedicatedSession(async () => {
    await db.run('DROP TABLE orders; ALTER TABLE other RENAME TO another')
    expect(await run()).toMatchObject({ sessions: 1, news: 1, tables: 1, dropped: 1, posture: 'recovery_only' })
    expect(await run()).toMatchObject({ sessions: 1, news: 0, dropped: 0 })
  })
  await agent.close()
  // The server shows a session for a moment longer than its client has it.
  const left = `SELECT FROM pg_stat_activity WHERE usename = '${role}'`
  await eventually(async () => (await db.run(left)).length === 0, { what: "the end of the agent's session" })
  expect(events().slice(1)).toEqual([`gateway_bypass_detected ${role}`, 'table_drop_detected public.orders'])
  const figures = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const sum = (name: string) =>
    figures.flatMap((line) => (line[name] as number[] | undefined) ?? []).reduce((total, one) => total + one, 0)
  expect([sum('backstop_bypass_connections_total'), sum('backstop_sync_dropped_tables_total')]).toEqual([1, 1])
  expect(figures.some((line) => line['status'] === 'recovery_only')).toBe(true)
})

it('judges no session of the role that instances share', async () => {
  const facts = await run()
  expect(facts['sessions']).toBe(0)
  expect(facts['notChecked']).toBeGreaterThan(0)
})
