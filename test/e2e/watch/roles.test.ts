/** The roles that `backstop init-roles` prints carry the whole product, without a superuser, and nothing beyond it. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Cluster, startCluster } from '#lib/adapters/embedded/index.ts'
import { captureRound, drillTable, watchSessions } from '#lib/product/index.ts'
import { runCliJson, runCliProcess } from '#test/support/cli/run-cli.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'
import { startTestProduct, type TestProduct } from '#test/support/product.ts'
import { untilFirstRound } from '#test/support/watch/quiet.ts'

const PASSWORD = 'a-gateway-password'
const GATEWAY = `gate"way o'x`
const AGENTS = 'agents %I $backstop$'
const OWNER = 'Shop Owner'
const SEED = `
  CREATE ROLE "Shop Owner";
  CREATE SCHEMA "Shop 1" AUTHORIZATION "Shop Owner"; SET ROLE "Shop Owner";
  CREATE TABLE "Shop 1".orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int);
  INSERT INTO "Shop 1".orders (v) SELECT i FROM generate_series(1, 20) i;
  CREATE TABLE "Shop 1".doomed (id int PRIMARY KEY); INSERT INTO "Shop 1".doomed VALUES (1)`

/** One of their own: roles and the marks on them are the whole cluster's. */
let cluster: Cluster
let t: TestProduct
beforeAll(async () => {
  cluster = await startCluster()
})
afterEach(async () => {
  await t.stop()
  const other = await createTestDatabase(undefined, cluster.urlFor('postgres'))
  const roles = [GATEWAY, AGENTS, OWNER].map(id).join(', ')
  await other.run(`DROP OWNED BY ${roles}; DROP ROLE ${roles}`)
  await other.drop()
})
afterAll(() => cluster?.stop())

const id = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** What the command prints, as an administrator would run it. */
async function printRoles(...flags: string[]): Promise<string> {
  const names = ['--gateway-role', GATEWAY, '--agent-role', AGENTS, '--schemas', 'Shop 1']
  const { exitCode, stdout } = await runCliProcess(['init-roles', ...names, ...flags])
  expect(exitCode).toBe(0)
  return stdout
}

const asGateway = (db: TestDatabase) => {
  const url = new URL(db.url)
  url.username = encodeURIComponent(GATEWAY)
  url.password = PASSWORD
  return url.href
}

async function start(sql: string): Promise<void> {
  const setUp = `${SEED}; RESET ROLE; ${sql}; ALTER ROLE ${id(GATEWAY)} PASSWORD '${PASSWORD}'`
  t = await startTestProduct({
    seedSql: setUp,
    clusterUrl: cluster.urlFor('postgres'),
    dbUrl: asGateway,
    environment: { BACKSTOP_AGENT_ROLE: AGENTS },
  })
  await untilFirstRound(t, 2)
}

async function approved(sql: string) {
  const held = await t.query(sql)
  expect(held).toMatchObject({ status: 'approval_required' })
  await t.call('operator', 'POST', `/approve/${held.approval_id}`)
  return await t.query(sql)
}

const recover = (db: string, table: string) =>
  runCliJson(['recover', '--table', table, '--yes'], {
    BACKSTOP_DB_URL: db,
    BACKSTOP_STORAGE_URL: `file://${t.folder}/storage`,
  })

test('gate, capture, undo, approved drop, restore, drill and watch all work without a superuser', async () => {
  await start(await printRoles('--owner', OWNER, '--restore'))
  const { parts } = t.product
  expect(await t.query('SELECT count(*)::int AS n FROM "Shop 1".orders')).toMatchObject({ rows: [{ n: 20 }] })
  expect(await t.query('SELECT current_user::text AS who')).toMatchObject({ rows: [{ who: AGENTS }] })
  const insert = await t.query('INSERT INTO "Shop 1".orders (v) VALUES (99)')
  expect(insert).toMatchObject({ status: 'executed', rows_affected: 1 })
  const update = await t.query('UPDATE "Shop 1".orders SET v = 0 WHERE id = 1')
  expect(update).toMatchObject({ status: 'executed', undo: { available: true } })
  const undone = await t.call('admin', 'POST', `/undo/${update.undo.audit_id}`, {})
  expect(undone.body).toMatchObject({ status: 'undone', reversed_count: 1 })
  await t.db.run('SET ROLE "Shop Owner"; CREATE TABLE "Shop 1".later (id int PRIMARY KEY)')
  expect(await t.query('INSERT INTO "Shop 1".later VALUES (1)')).toMatchObject({ status: 'executed' })
  expect(await approved('DROP TABLE "Shop 1".doomed')).toMatchObject({
    status: 'executed',
    recovery_points: [{ table: 'doomed', row_count: 1 }],
  })
  expect(await recover(asGateway(t.db), '"Shop 1".doomed')).toMatchObject({ exitCode: 0 })
  expect(await t.db.run('SELECT count(*)::int AS n FROM "Shop 1".doomed_recovered')).toEqual([{ n: 1 }])
  await captureRound(parts)
  const { evidence } = await drillTable(parts)
  expect([evidence.result, evidence.failure, evidence.differences]).toEqual(['ok', null, []])
  const watched = await watchSessions(parts)
  expect(watched).toMatchObject({
    agentRoles: [AGENTS],
    loginRoles: [],
    sessions: [],
    isGatewaySuperuser: false,
    posture: { status: 'healthy', reasons: [] },
  })
})

test('what such roles cannot do, PostgreSQL itself refuses', async () => {
  await start(await printRoles())
  expect(await approved('DROP TABLE "Shop 1".doomed')).toMatchObject({
    status: 'failed',
    error: { message: expect.stringMatching(/must be owner/), sql_state: '42501' },
  })
  const refused = await recover(asGateway(t.db), '"Shop 1".doomed')
  expect([refused.exitCode, JSON.stringify(refused.data)]).toEqual([
    1,
    expect.stringMatching(/permission denied for schema/),
  ])
  const tries = [
    'CREATE ROLE x',
    "SELECT pg_read_file('/etc/passwd')",
    'SELECT rolpassword FROM pg_authid',
    'CREATE DATABASE x',
  ]
  const client = t.product.parts.database
  for (const sql of tries) {
    await expect(client.withDedicatedSession((session) => session.query(sql))).rejects.toThrow(/permission denied/)
  }
  const asAgents = `SET ROLE ${id(AGENTS)}`
  await expect(t.db.run(`${asAgents}; CREATE TABLE "Shop 1".x (id int)`)).rejects.toThrow(/permission denied/)
  await expect(t.db.run(`${asAgents}; TRUNCATE "Shop 1".orders`)).rejects.toThrow(/permission denied/)
})

test('with --read-only an agent changes nothing, whatever is approved; and the SQL may be run again', async () => {
  const sql = await printRoles('--read-only')
  await start(sql)
  await t.db.run(sql)
  expect(await t.query('SELECT count(*)::int AS n FROM "Shop 1".orders')).toMatchObject({ rows: [{ n: 20 }] })
  expect(await t.query('UPDATE "Shop 1".orders SET v = 0 WHERE id = 1')).toMatchObject({
    status: 'failed',
    error: { message: expect.stringMatching(/permission denied/), sql_state: '42501' },
  })
  const checks = sql
    .slice(sql.indexOf('answers true'))
    .split('\n')
    .filter((line) => line.startsWith('SELECT'))
  expect(checks.length).toBeGreaterThanOrEqual(6)
  for (const check of checks) expect([check, await t.db.run(check)]).toEqual([check, [{ ok: true }]])
})

test('--apply shows, runs and checks it; nobody at a pipe is asked, so that --yes is needed', async () => {
  await start(await printRoles())
  const order = ['init-roles', '--gateway-role', GATEWAY, '--agent-role', AGENTS, '--schemas', 'Shop 1', '--apply']
  const environment = { BACKSTOP_DB_URL: t.db.url }
  expect((await runCliProcess(order, environment)).exitCode).toBe(2)
  const { exitCode, data } = await runCliJson([...order, '--yes'], environment)
  expect([exitCode, data.applied, data.settings]).toEqual([0, true, { BACKSTOP_AGENT_ROLE: AGENTS }])
  expect(data.checks.length).toBeGreaterThanOrEqual(6)
  expect(data.checks.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([])
})
