/** Sessions of agent roles that do not come through the gateway are found, by roles of few rights too. */
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Cluster, startCluster } from '#lib/adapters/embedded/index.ts'
import { listSessionNames } from '#lib/adapters/native/index.ts'
import { giveBackSessionName, takeSessionName } from '#lib/adapters/native/session-name.ts'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { Database } from '#lib/ports/index.ts'
import type { FixedClock } from '#test/support/fixed-clock.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

const OWN_UNKNOWN = {
  subject: "sessions of the gateway's own role",
  reason: expect.stringMatching(/several processes/),
}
const NO_AGENTS = {
  subject: 'sessions of agents with roles of their own',
  reason: expect.stringMatching(/BACKSTOP_AGENT_ROLE/),
}

/** One of its own: roles and the marks on them are the whole cluster's. */
let cluster: Cluster
let db: TestDatabase
let clock: FixedClock
let agent: string
let plainAgent: string
let gateway: string
let asGateway: Database
let slice: TestRecovery

beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster?.stop())

beforeEach(async () => {
  db = await createTestDatabase(undefined, cluster.urlFor('postgres'))
  agent = `Agent ${db.name}`
  plainAgent = `plain_${db.name}`
  gateway = `gateway_${db.name}`
  await db.run(`CREATE ROLE "${agent}" LOGIN PASSWORD 'x'; CREATE ROLE "${plainAgent}" NOLOGIN;
    CREATE ROLE "${gateway}" LOGIN PASSWORD 'x'; GRANT "${plainAgent}" TO "${gateway}"`)
  asGateway = openPostgres({ url: db.urlAs(gateway, 'x') })
  clock = createFixedClock()
  slice = await openTestRecovery(asGateway, { clock })
})

afterEach(async () => {
  await slice?.close()
  await asGateway?.close()
  await db?.run(`DROP ROLE "${agent}", "${plainAgent}", "${gateway}"`)
  await db?.drop()
})

/** Run `use` while the role is connected and executes a statement with a secret in it. */
async function whileConnected<T>(role: string, applicationName: string, use: () => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: db.urlAs(role, 'x'), application_name: applicationName })
  await client.connect()
  try {
    await client.query(`SELECT 'secret-literal'`)
    return await use()
  } finally {
    await client.end()
  }
}

test('a direct session is found, without what it runs', async () => {
  const report = await whileConnected(agent, 'psql', () => slice.recovery.runWatch({ agentRoles: [agent] }))
  expect(report.sessions).toEqual([
    {
      processId: expect.any(Number),
      user: agent,
      because: 'agent-role',
      applicationName: 'psql',
      address: null,
      since: null,
    },
  ])
  expect(report.findings[0]).toMatchObject({
    severity: 'critical',
    eventType: 'gateway_bypass_detected',
    facts: { user: agent, applicationName: 'psql', sessions: 1 },
  })
  expect(JSON.stringify(report)).not.toContain('secret')
  expect(report.skipped).toEqual([
    OWN_UNKNOWN,
    { subject: `address and start of sessions of ${agent}`, reason: 'they show to members of pg_read_all_stats alone' },
  ])
})

test('with pg_read_all_stats address and start are known as well', async () => {
  await db.run(`GRANT pg_read_all_stats TO "${gateway}"`)
  const report = await whileConnected(agent, 'psql', () => slice.recovery.runWatch({ agentRoles: [agent] }))
  expect(report.sessions).toMatchObject([
    {
      address: expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
      since: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    },
  ])
  expect(report.skipped).toEqual([OWN_UNKNOWN])
})

test('the name that a client gives itself does not hide it, nor break a line', async () => {
  const name = `backstop-gateway\u202e\n${'x'.repeat(50)}`
  const report = await whileConnected(agent, name, () => slice.recovery.runWatch({ agentRoles: [agent] }))
  expect(report.sessions).toHaveLength(1)
  expect(report.sessions[0]?.applicationName).toMatch(/^backstop-gateway[?x\\0-9a-f]*$/)
  expect(report.sessions[0]?.applicationName.length).toBeLessThanOrEqual(64)
})

test('the gateway in the agent role is no direct session, whatever role it has taken', async () => {
  const report = await asGateway.withSession(async (session) => {
    await session.execute(`SET ROLE "${plainAgent}"`)
    return await slice.recovery.runWatch({ agentRoles: [plainAgent] })
  })
  expect(report).toMatchObject({
    sessions: [],
    loginRoles: [],
    findings: [],
    checked: [`role ${plainAgent}`],
    skipped: [OWN_UNKNOWN],
    posture: { status: 'healthy', reasons: [] },
  })
})

test('an agent role that may log in is a standing risk, also while nobody does', async () => {
  const report = await slice.recovery.runWatch({ agentRoles: [agent, plainAgent] })
  expect(report.loginRoles).toEqual([agent])
  expect(report.findings).toMatchObject([
    { severity: 'warning', eventType: 'agent_role_can_login', facts: { role: agent } },
  ])
  await db.run(`ALTER ROLE "${agent}" VALID UNTIL '2000-01-01'`)
  expect((await slice.recovery.runWatch({ agentRoles: [agent] })).loginRoles).toEqual([])
})

test('what cannot be checked is said, and is never a clean report', async () => {
  expect(await slice.recovery.runWatch({ agentRoles: [] })).toMatchObject({
    checked: [],
    skipped: [NO_AGENTS, OWN_UNKNOWN],
    posture: { status: 'degraded' },
  })
  expect(await slice.recovery.runWatch({ agentRoles: [gateway, 'nobody at all'] })).toMatchObject({
    checked: [],
    findings: [],
    skipped: [
      NO_AGENTS,
      OWN_UNKNOWN,
      { subject: `role ${gateway}`, reason: expect.stringMatching(/cannot be told apart/) },
      { subject: 'role nobody at all', reason: 'there is no such role' },
    ],
  })
})

test('other gateways log in with roles that are named', async () => {
  const gatewayRoles = [agent]
  const report = await whileConnected(agent, 'x', () => slice.recovery.runWatch({ agentRoles: [agent], gatewayRoles }))
  expect(report).toMatchObject({
    sessions: [],
    checked: [],
    skipped: [NO_AGENTS, OWN_UNKNOWN, { reason: expect.stringMatching(/cannot be told apart/) }],
  })
})

const strangersOf = (sessions: readonly { readonly because: string; readonly applicationName: string }[]) =>
  sessions.map(({ because, applicationName }) => [because, applicationName])

test('with no role of agents known, whoever else uses the role of the gateway is found, whatever it calls itself', async () => {
  const ownProcessIds = () => asGateway.listProcessIds?.() ?? []
  const look = () => slice.recovery.runWatch({ agentRoles: [], ownProcessIds })
  expect((await look()).sessions).toEqual([])
  const report = await whileConnected(gateway, 'backstop-gateway', look)
  expect(strangersOf(report.sessions)).toEqual([['gateway-role', 'backstop-gateway']])
  expect(report.news).toMatchObject([{ severity: 'warning', eventType: 'gateway_bypass_detected' }])
  expect(report.posture.status).toBe('recovery_only')
  expect(report.checked).toEqual([`sessions of the gateway's own role ${gateway}`])
})

test('sessions of the gateway itself are never taken for others, however many come and go meanwhile', async () => {
  const busy = Array.from({ length: 12 }, () =>
    asGateway.withDedicatedSession((one) => one.query('SELECT pg_sleep(0.05)')),
  )
  const ownProcessIds = () => asGateway.listProcessIds?.() ?? []
  const looks = Array.from({ length: 5 }, () => slice.recovery.runWatch({ agentRoles: [], ownProcessIds }))
  for (const { sessions } of await Promise.all(looks)) expect(sessions).toEqual([])
  await Promise.all(busy)
})

test('another pool of this process is ours, and so is a program that it runs, for as long as it does', async () => {
  const own = { ownProcessIds: () => asGateway.listProcessIds?.() ?? [], ownSessionNames: listSessionNames }
  const look = () => slice.recovery.runWatch({ agentRoles: [], ...own })
  const other = openPostgres({ url: db.urlAs(gateway, 'x') })
  await other.withDedicatedSession(async () => expect((await look()).sessions).toEqual([]))
  await other.close()
  const name = takeSessionName()
  await whileConnected(gateway, name, async () => expect((await look()).sessions).toEqual([]))
  await whileConnected(gateway, `${name}x`, async () => expect((await look()).sessions).toHaveLength(1))
  giveBackSessionName(name)
})

test('roles with the mark of init-roles are agents, and so are their members, but not the gateway nor their maker', async () => {
  const [group, member, deep] = [`group_${db.name}`, `member_${db.name}`, `deep_${db.name}`]
  await db.run(`CREATE ROLE "${group}" NOLOGIN; COMMENT ON ROLE "${group}" IS 'backstop agent role: made by hand';
    CREATE ROLE "${member}" NOLOGIN; GRANT "${group}" TO "${member}", "${gateway}";
    CREATE ROLE "${deep}" LOGIN PASSWORD 'x'; GRANT "${member}" TO "${deep}"`)
  const report = await whileConnected(deep, 'psql', () => slice.recovery.runWatch({ agentRoles: [] }))
  expect(report.agentRoles).toEqual([deep, group, member].toSorted())
  expect(report.loginRoles).toEqual([deep])
  expect(strangersOf(report.sessions)).toEqual([['agent-role', 'psql']])
  await db.run(`DROP ROLE "${deep}", "${member}", "${group}"`)
})

test('a session is new once', async () => {
  const look = () => slice.recovery.runWatch({ agentRoles: [agent] })
  await whileConnected(agent, 'psql', async () => {
    expect((await look()).newSessions).toHaveLength(1)
    expect((await look()).newSessions).toHaveLength(0)
    await whileConnected(agent, 'psql', async () => expect((await look()).newSessions).toHaveLength(1))
  })
})

test('a finding is news once an hour, and many sessions of one client are one finding', async () => {
  await whileConnected(agent, 'psql', async () => {
    await whileConnected(agent, 'psql', async () => {
      const first = await slice.recovery.runWatch({ agentRoles: [agent] })
      expect(first.findings).toHaveLength(2)
      expect(first.findings[0]?.facts).toMatchObject({ sessions: 2 })
      expect(first.news).toEqual(first.findings)
      expect(first.newlySkipped).toEqual(first.skipped)
      clock.advance(3_599_000)
      const again = await slice.recovery.runWatch({ agentRoles: [agent] })
      expect([again.findings.length, again.news.length]).toEqual([2, 0])
      expect([again.skipped.length, again.newlySkipped.length]).toEqual([2, 0])
      clock.advance(2_000)
      expect((await slice.recovery.runWatch({ agentRoles: [agent] })).news).toHaveLength(2)
    })
  })
})

test('sessions in other databases of the cluster are not ours to judge', async () => {
  const other = await createTestDatabase(undefined, cluster.urlFor('postgres'))
  const database = openPostgres({ url: other.urlAs(agent, 'x') })
  await database.withDedicatedSession(async () => {
    expect((await slice.recovery.runWatch({ agentRoles: [agent] })).sessions).toEqual([])
  })
  await database.close()
  await other.drop()
})
