/** Sessions past the gate, against a running product with no more configured than its database. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterEach, expect, test } from 'vitest'
import { eventually } from '#test/support/eventually.ts'
import { startTestProduct, type TestProduct, TOKEN_FILE } from '#test/support/product.ts'
import { readAlerts, readMetrics, untilAlert } from '#test/support/watch/alerts.ts'

let t: TestProduct
const clients: Client[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) await client.end()
  await t.stop()
})

async function connect(url: string, applicationName: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: applicationName })
  await client.connect()
  clients.push(client)
  return client
}

const FAST = { BACKSTOP_WATCH_INTERVAL_SECONDS: '1' }
const readHealth = async () => (await t.call('admin', 'GET', '/metadata/health')).body

test('in its default configuration a session that borrows the role of the gateway is told, whatever it calls itself', async () => {
  t = await startTestProduct({ seedSql: 'CREATE TABLE t (id int PRIMARY KEY)', environment: FAST })
  // The gateway's own connections are many, and none of them is a stranger.
  for (let n = 0; n < 20; n++) await t.query('SELECT count(*) AS n FROM t')
  await eventually(async () => (await readHealth()).prevention_posture === 'degraded', { timeoutMs: 30_000 })
  expect(await readAlerts(t, 'gateway_bypass_detected')).toEqual([])
  const stranger = await connect(t.db.url, 'backstop-gateway')
  const { rows } = await stranger.query('SELECT pg_backend_pid() AS pid')
  const alert = await untilAlert(t, 'gateway_bypass_detected')
  expect(alert).toMatchObject({
    severity: 'warning',
    recommended_action: expect.stringContaining('backstop init-roles'),
    facts: { user: 'postgres', because: 'gateway-role', sessions: 1, processIds: [rows[0].pid] },
  })
  expect(await readHealth()).toMatchObject({
    prevention_posture: 'recovery_only',
    prevention_detail: expect.stringContaining('somebody is connected past the gate as postgres'),
  })
  const metrics = await readMetrics(t)
  expect(metrics).toContain('backstop_bypass_connections_total{role="postgres",application="backstop-gateway"} 1')
  expect(metrics).toContain('backstop_prevention_posture{status="recovery_only"} 1')
  await Promise.all(clients.splice(0).map((client) => client.end()))
  await eventually(async () => (await readHealth()).prevention_posture === 'degraded', { timeoutMs: 30_000 })
  expect(await readAlerts(t, 'gateway_bypass_detected')).toHaveLength(1)
})

test('a role that the token file gives to an agent is watched without a restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-tokens-'))
  const path = join(folder, 'tokens.json')
  await writeFile(path, TOKEN_FILE)
  t = await startTestProduct({ environment: { ...FAST, BACKSTOP_TOKENS: path } })
  const role = `own_${t.db.name}`
  await t.db.run(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`)
  const [agent, ...others] = JSON.parse(TOKEN_FILE)
  await writeFile(path, JSON.stringify([{ ...agent, database_roles: [role] }, ...others]))
  await connect(t.db.urlAs(role, 'x'), 'psql')
  const alert = await untilAlert(t, 'gateway_bypass_detected', ({ facts }) => facts['user'] === role)
  expect(alert).toMatchObject({
    severity: 'critical',
    facts: { user: role, because: 'agent-role', applicationName: 'psql' },
  })
  expect(await untilAlert(t, 'agent_role_can_login')).toMatchObject({ severity: 'warning', facts: { role } })
  for (const client of clients.splice(0)) await client.end()
  await t.db.run(`DROP ROLE ${role}`)
  await rm(folder, { recursive: true })
})
