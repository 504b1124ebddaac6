/** A product that runs on PostgreSQL's own server and programs can be brought to `ready`, with what a person can give. */

import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { makeTemporaryFolder, runCliJson, runCliProcess, type TemporaryFolder } from '#test/support/cli/run-cli.ts'
import { callGateway, type RunningUp, startUpProcess } from '#test/support/cli/running-up.ts'
import { eventually } from '#test/support/eventually.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'

const OPS = 'ops-token-of-the-launch'
const TOKENS = [
  { id: 'agent', token: 'agent-token-of-the-launch', scopes: ['query:execute', 'query:analyze'] },
  { id: 'operator', token: 'operator-token-of-the-launch', scopes: ['approval:read', 'approval:write'] },
  { id: 'ops', token: OPS, scopes: ['metadata:read', 'metrics:read'] },
]
const name = (role: string) => `launch_${role}_${process.pid}`

let folder: TemporaryFolder
let db: TestDatabase
let sink: Server
const received: string[] = []
let up: RunningUp
let environment: Record<string, string>

beforeAll(async () => {
  folder = makeTemporaryFolder()
  db = await createTestDatabase(
    `CREATE TABLE users (id int PRIMARY KEY, email text); INSERT INTO users SELECT n, n::text FROM generate_series(1, 100) n;
     CREATE ROLE ${name('gateway')} LOGIN PASSWORD 'p' CREATEDB; CREATE ROLE ${name('agent')} NOLOGIN;
     GRANT ${name('agent')} TO ${name('gateway')};
     ALTER TABLE users OWNER TO ${name('gateway')}; GRANT SELECT ON users TO ${name('agent')};`,
    inject('nativeUrl'),
  )
  await db.run(`GRANT CREATE ON DATABASE ${db.name} TO ${name('gateway')}`)
  sink = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => received.push(text))
    response.end()
  })
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
  writeFileSync(join(folder.path, 'tokens.json'), JSON.stringify(TOKENS))
  writeFileSync(join(folder.path, 'policy.json'), JSON.stringify({ protected_columns: { users: ['email'] } }))
  environment = {
    BACKSTOP_DB_URL: db.urlAs(name('gateway'), 'p'),
    BACKSTOP_AGENT_ROLE: name('agent'),
    BACKSTOP_TOKENS: join(folder.path, 'tokens.json'),
    BACKSTOP_POLICY: join(folder.path, 'policy.json'),
    BACKSTOP_ALERT_WEBHOOK: `http://127.0.0.1:${(sink.address() as AddressInfo).port}/alerts`,
  }
  up = await startUpProcess(['--data', join(folder.path, 'data')], environment)
  await eventually(
    async () => (await callGateway(up.ready.url, '/metadata/snapshots?table=users', OPS)).body.length > 0,
    {
      timeoutMs: 60_000,
      everyMs: 100,
      what: 'a recovery point',
    },
  )
})
afterAll(async () => {
  up?.child.kill('SIGTERM')
  await up?.end
  sink?.close()
  await db?.drop()
  const cleanUp = await createTestDatabase(undefined, inject('nativeUrl'))
  await cleanUp.run(`DROP ROLE IF EXISTS ${name('gateway')}; DROP ROLE IF EXISTS ${name('agent')}`)
  await cleanUp.drop()
  folder?.remove()
})

const launch = (more: readonly string[] = [], given: Record<string, string> = environment) =>
  runCliJson(
    [
      'doctor',
      'launch',
      '--storage',
      up.ready.storage,
      '--table',
      'users',
      '--metadata-db',
      up.ready.metadata_db,
      ...more,
    ],
    given,
  )

test("the checklist's own line is degraded for want of what it does not name, each with its fix and its owner", async () => {
  const { exitCode, data } = await launch([], {})
  expect(exitCode).toBe(0)
  expect(data).toMatchObject({ ok: true, verdict: 'degraded', blocking: [] })
  expect(data.checks.snapshot_readiness).toMatchObject({ status: 'ok' })
  expect(data.checks.metadata_health).toMatchObject({ status: 'ok' })
  expect(data.checks.docker_drills).toEqual(data.checks.drills)
  expect(data.skipped).toContainEqual(expect.objectContaining({ check: 'tokens', is_open: true }))
  expect(data.skipped).toContainEqual(expect.objectContaining({ check: 'database_roles', is_open: true }))
  expect(data.degraded.length).toBeGreaterThan(0)
  for (const item of data.degraded) {
    expect(item.fix.length).toBeGreaterThan(10)
    expect(item.owner_question).toContain(item.problem)
  }
})

test('with the environment of the gateway, and every drill run, it is ready', async () => {
  const storage = ['--storage', up.ready.storage]
  const target = environment['BACKSTOP_DB_URL']?.replace(/[^/]*$/, 'mydb_drill') ?? ''
  for (const words of [
    ['table-restore', '--table', 'users'],
    ['wal-archive-fetch', '--cluster-id', 'prod'],
    ['pitr-prepare', '--cluster-id', 'prod', '--simulate'],
    ['logical-backup-restore', '--source-db', environment['BACKSTOP_DB_URL'] ?? '', '--target-db', target],
  ]) {
    const { exitCode, data } = await runCliJson(['drill', ...words, ...storage], environment)
    expect({ words: words[0], exitCode, error: data.error }).toEqual({ words: words[0], exitCode: 0, error: undefined })
  }
  const { exitCode, data } = await launch()
  expect({ degraded: data.degraded, open: data.skipped.filter((one: { is_open: boolean }) => one.is_open) }).toEqual({
    degraded: [],
    open: [],
  })
  expect({ exitCode, verdict: data.verdict }).toEqual({ exitCode: 0, verdict: 'ready' })
  const shown = await runCliProcess(
    ['doctor', 'launch', ...storage, '--table', 'users', '--metadata-db', up.ready.metadata_db],
    environment,
  )
  expect(shown.stdout).toMatch(/^verdict +ready\n/)
  expect(JSON.stringify(data)).not.toContain('p@')
})

test('a drill that fails beside the gateway is told by it, once', async () => {
  const words = [
    'drill',
    'pitr-prepare',
    '--cluster-id',
    'prod',
    '--backup-id',
    'base_none',
    '--storage',
    up.ready.storage,
  ]
  for (let twice = 0; twice < 2; twice++) {
    const { exitCode, data } = await runCliJson([...words, '--metadata-db', up.ready.metadata_db], environment)
    expect({ exitCode, code: data.error.code }).toEqual({ exitCode: 1, code: 'BACKUP_MISSING' })
  }
  const { body } = await callGateway(up.ready.url, '/metadata/alerts', OPS)
  const failed = body.items.filter(({ event_type }: { event_type: string }) => event_type === 'drill_failed')
  expect(failed).toHaveLength(1)
  expect(failed[0].title ?? failed[0].message).toContain('pitr-prepare of prod failed')
  await eventually(() => received.some((text) => text.includes('drill_failed')), {
    timeoutMs: 30_000,
    everyMs: 100,
    what: 'the webhook',
  })
})

test('a table without a point, a policy that lets CRITICAL run, a database that is gone: not ready, and the rest is looked at', async () => {
  const { exitCode, data } = await launch(['--table', 'users,nowhere'], {
    ...environment,
    BACKSTOP_POLICY_CRITICAL: 'execute',
    BACKSTOP_DB_URL: 'postgresql://nobody:hidden@127.0.0.1:1/none',
  })
  expect({ exitCode, ok: data.ok, verdict: data.verdict }).toEqual({ exitCode: 1, ok: false, verdict: 'not_ready' })
  expect(data.blocking.map(({ check }: { check: string }) => check)).toEqual([
    'database_roles',
    'snapshot_readiness',
    'drills',
    'policy',
  ])
  expect(data.checks.tokens.status).toBe('ok')
  expect(JSON.stringify(data)).not.toContain('hidden')
})

test('after the gateway has ended the heartbeat grows old, and launch says so', async () => {
  up.child.kill('SIGTERM')
  await up.end
  const aged = join(folder.path, 'policy-short.json')
  writeFileSync(aged, JSON.stringify({ max_sidecar_heartbeat_seconds: 1 }))
  await eventually(async () => (await launch(['--policy', aged])).data.checks.metadata_health.status === 'failed', {
    timeoutMs: 30_000,
    everyMs: 500,
    what: 'an old heartbeat',
  })
})
