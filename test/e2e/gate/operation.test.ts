import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { readConfig, startProduct } from '#lib/runtime/index.ts'
import { eventually } from '#test/support/eventually.ts'
import { PATIENT_LIMITS } from '#test/support/patient-limits.ts'
import { startTestProduct, type TestProduct } from '#test/support/product.ts'

const SEED = 'CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 20) i'

let t: TestProduct
afterEach(() => t.stop())

describe('operating the product', () => {
  it('pauses everything but SAFE, and resumes', async () => {
    t = await startTestProduct({ seedSql: SEED })
    expect((await t.call('admin', 'POST', '/admin/pause', { reason: 'drill' })).status).toBe(200)
    expect(await t.query('UPDATE t SET v = 0 WHERE id = 1')).toMatchObject({ status: 'blocked' })
    expect(await t.query('SELECT 1 AS one')).toMatchObject({ status: 'executed' })
    expect((await t.call('admin', 'GET', '/metadata/health')).body).toMatchObject({ paused: true })
    expect((await t.call('admin', 'POST', '/admin/resume')).status).toBe(200)
    expect(await t.query('UPDATE t SET v = 0 WHERE id = 1')).toMatchObject({ status: 'executed' })
  })

  it('quarantines a principal after repeated blocked attempts, whatever it calls itself', async () => {
    t = await startTestProduct({ seedSql: SEED })
    for (const agent_id of ['a', 'b', 'c']) {
      expect(await t.query('DROP DATABASE postgres', { agent_id })).toMatchObject({ status: 'blocked' })
    }
    const answer = await t.query('UPDATE t SET v = 0 WHERE id = 1', { agent_id: 'd' })
    expect(answer).toMatchObject({ status: 'blocked' })
    expect(answer.message).toContain('quarantined')
    expect(await t.query('UPDATE t SET v = 0 WHERE id = 1', {}, 'agent2')).toMatchObject({ status: 'executed' })
    const alerts = await t.call('admin', 'GET', '/metadata/alerts')
    expect(JSON.stringify(alerts.body)).toContain('agent_quarantined')
  })

  it('takes a new policy without a restart, and keeps the old one when the new one is malformed', async () => {
    t = await startTestProduct({ seedSql: SEED })
    const policyPath = join(t.folder, 'policy.json')
    await writeFile(policyPath, '{}')
    const config = readConfig(
      {
        ...PATIENT_LIMITS,
        BACKSTOP_PORT: '0',
        BACKSTOP_DB_URL: t.db.url,
        BACKSTOP_DEV_MODE: 'true',
        BACKSTOP_POLICY: policyPath,
      },
      join(t.folder, 'two'),
    )
    const second = await startProduct({ config, version: '0', log: () => {} })
    const ask = async () => {
      const params = {
        name: 'execute_query',
        arguments: { query: 'INSERT INTO t VALUES (99, 1) ON CONFLICT DO NOTHING', agent_id: 'x' },
      }
      const response = await fetch(second.url, {
        method: 'POST',
        headers: { authorization: 'Bearer dev-token', 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
      })
      return ((await response.json()) as { result: { status: string } }).result.status
    }
    expect(await ask()).toBe('executed')
    await writeFile(policyPath, JSON.stringify({ block_operations: ['INSERT'] }))
    await eventually(async () => (await ask()) === 'blocked', { everyMs: 50, what: 'the new policy' })
    await writeFile(policyPath, '{"block_operation": []}')
    await eventually(() => second.parts.policy.lastProblem() !== undefined, { what: 'the malformed policy to be read' })
    expect(await ask()).toBe('blocked')
    await second.stop()
  })

  it('keeps approvals and the pause over a restart', async () => {
    t = await startTestProduct({ seedSql: SEED })
    const held = await t.query('DELETE FROM t')
    expect(held).toMatchObject({ status: 'approval_required' })
    const restarted = await t.restart()
    t = restarted
    expect((await restarted.call('operator', 'POST', `/approve/${held.approval_id}`)).status).toBe(200)
    expect(await restarted.query('DELETE FROM t')).toMatchObject({
      status: 'executed',
      rows_affected: 20,
      approval_id: held.approval_id,
    })
  })

  it('says which field differs from what was approved', async () => {
    t = await startTestProduct({ seedSql: SEED })
    const held = await t.query('DELETE FROM t')
    await t.call('operator', 'POST', `/approve/${held.approval_id}`)
    const other = await t.query('DELETE  FROM t', { approval_id: held.approval_id })
    expect(other).toMatchObject({ status: 'denied' })
    expect(other.message).toContain('statement')
    const stolen = await t.query('DELETE FROM t', { approval_id: held.approval_id }, 'agent2')
    expect(stolen).toMatchObject({ status: 'failed', error: { code: 'APPROVAL_MISSING' } })
    expect(await t.db.run('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 20 }])
  })

  it('lets a running statement finish when it is told to stop, with its audit record', async () => {
    t = await startTestProduct({ seedSql: `${SEED}; CREATE TABLE held AS SELECT 7 AS n` })
    const holder = new Client({ connectionString: t.db.url })
    await holder.connect()
    await holder.query('BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE')
    const running = t.query('SELECT n FROM held')
    const waits = `SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.relation = 'held'::regclass AND NOT l.granted AND a.query LIKE 'SELECT n FROM held%'`
    await eventually(async () => (await t.db.run(waits)).length > 0, { what: 'the statement in the middle' })
    const restarting = t.restart()
    await holder.query('COMMIT')
    await holder.end()
    expect(await running).toMatchObject({ status: 'executed', rows: [{ n: 7 }] })
    const restarted = await restarting
    t = restarted
    const audit = await restarted.call('admin', 'GET', '/metadata/audit?limit=10')
    expect(JSON.stringify(audit.body)).toContain((await running).audit_id)
    expect(await restarted.product.parts.ledger.countOpen()).toBe(0)
  })

  it('fails while the agent role is gone, lends no half-begun session on, and works again with the role', async () => {
    const role = `agent_role_${Date.now()}`
    t = await startTestProduct({
      seedSql: `${SEED}; CREATE ROLE ${role}; GRANT SELECT, UPDATE ON t TO ${role}`,
      environment: { BACKSTOP_AGENT_ROLE: role, BACKSTOP_MAX_CONNECTIONS: '2' },
    })
    expect(await t.query('SELECT current_user::text AS who')).toMatchObject({ rows: [{ who: role }] })
    await t.db.run(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    const statements = Array.from({ length: 12 }, (_, i) =>
      i % 2 === 0 ? 'SELECT count(*) FROM t' : 'UPDATE t SET v = 0 WHERE id < 3',
    )
    const refused = await Promise.all(statements.map((sql) => t.query(sql)))
    expect(new Set(refused.map((answer) => answer.status))).toEqual(new Set(['failed']))
    expect(await t.db.run('SELECT count(*)::int AS n FROM t WHERE v = 0')).toEqual([{ n: 0 }])
    await t.db.run(`CREATE ROLE ${role}; GRANT SELECT ON t TO ${role}`)
    const answers = await Promise.all(Array.from({ length: 6 }, () => t.query('SELECT current_user::text AS who')))
    for (const answer of answers) expect(answer).toMatchObject({ status: 'executed', rows: [{ who: role }] })
    await t.db.run(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })

  it('tells operators by webhook that something waits, with ids and without SQL', async () => {
    const received: string[] = []
    const hook = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        received.push(`${request.headers['x-backstop-signature'] ?? ''} ${body}`)
        response.end('ok')
      })
    })
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
    const { port } = hook.address() as { port: number }
    t = await startTestProduct({
      seedSql: SEED,
      environment: {
        BACKSTOP_ALERT_WEBHOOK: `http://127.0.0.1:${port}/alerts`,
        BACKSTOP_ALERT_SECRET: 'webhook-secret-0123456789',
      },
    })
    const held = await t.query('DROP TABLE t -- secret-remark')
    await eventually(() => received.some((one) => one.includes(held.approval_id)), { what: 'the webhook' })
    expect(received.join()).not.toContain('secret-remark')
    hook.close()
  })
})

describe('starting', () => {
  it.each([
    ['DATABASE_UNREACHABLE', { BACKSTOP_DB_URL: 'postgresql://u:hidden-word@127.0.0.1:1/x' }],
    ['TOKENS_INVALID', { BACKSTOP_TOKENS: '/nonexistent/tokens.json' }],
    ['POLICY_MISSING', { BACKSTOP_POLICY: '/nonexistent/policy.json' }],
    ['CONFIG_INVALID', { BACKSTOP_PORT: 'eighty' }],
    ['CONFIG_INVALID', { BACKSTOP_POLICY_HIGH: 'maybe' }],
    ['STORAGE_URL_INVALID', { BACKSTOP_STORAGE_URL: 'ftp://x' }],
  ])('fails at once with %s', async (code, environment) => {
    t = await startTestProduct({ seedSql: SEED })
    const start = async () => {
      const all = { BACKSTOP_PORT: '0', BACKSTOP_DB_URL: t.db.url, BACKSTOP_DEV_MODE: 'true', ...environment }
      await startProduct({ config: readConfig(all, join(t.folder, 'three')), version: '0', log: () => {} })
    }
    const error = (await start().catch((thrown: unknown) => thrown)) as { code: string; message: string; hint: string }
    expect(error).toMatchObject({ code })
    expect(error.hint.length).toBeGreaterThan(10)
    expect(error.message).not.toContain('hidden-word')
  })

  it('fails at once when the port is taken', async () => {
    t = await startTestProduct({ seedSql: SEED })
    const port = new URL(t.product.url).port
    const config = readConfig(
      { BACKSTOP_PORT: port, BACKSTOP_DB_URL: t.db.url, BACKSTOP_DEV_MODE: 'true' },
      join(t.folder, 'four'),
    )
    await expect(startProduct({ config, version: '0', log: () => {} })).rejects.toMatchObject({ code: 'PORT_TAKEN' })
  })
})
