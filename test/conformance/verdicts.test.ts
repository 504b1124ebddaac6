/** Troubleshooting, blocked and approval_required; checklist, policy: what is decided, and where to read why. */
import { afterAll, beforeAll, expect } from 'vitest'
import { TOKENS } from '#test/support/pages/guarded.ts'
import { covers } from '#test/support/pages/lines/index.ts'
import { type PageWorld, startPages, untilCaptured } from '#test/support/pages/world.ts'

let world: PageWorld
let strict: PageWorld
beforeAll(async () => {
  world = await startPages({ policy: { max_blocked_attempts_per_window: 99 } })
  strict = await startPages({
    environment: {
      BACKSTOP_POLICY_HIGH: 'execute',
      BACKSTOP_POLICY_CRITICAL: 'approve',
      BACKSTOP_POLICY_IMPACT_CRITICAL: 'block',
    },
    policy: {
      protected_tables: ['ledger'],
      protected_columns: { users: ['email'] },
      max_blocked_attempts_per_window: 99,
    },
  })
  await untilCaptured(world)
  await untilCaptured(strict)
})
afterAll(async () => {
  await world.stop()
  await strict.stop()
})

async function analyze(sql: string) {
  const { json } = await strict.fetch(
    '/',
    { authorization: `Bearer ${TOKENS.agent}` },
    { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'analyze_query', arguments: { query: sql } } },
  )
  return json.result
}

covers('T20', 'of DROP DATABASE it names the operation', async () => {
  const answer = await world.query('DROP DATABASE shop')
  expect(answer.status).toBe('blocked')
  expect(answer.safety_metadata.policy_reason).toContain('DROP DATABASE')
})

covers('T21', 'the table is named, and the reason says protected', async () => {
  const answer = await strict.query('UPDATE ledger SET amount = 0 WHERE id = 1')
  expect(answer).toMatchObject({ status: 'blocked', safety_metadata: { protected_table: 'public.ledger' } })
  expect(answer.safety_metadata.policy_reason).toContain('protected')
})

covers('T22', 'the operation is in block_operations, or its level is set to block by the variable', async () => {
  expect(await world.query('DROP SCHEMA public')).toMatchObject({ status: 'blocked' })
  const { json } = await strict.get('/admin/status', 'admin')
  expect(json.policy.block_operations).toEqual(expect.arrayContaining(['DROP DATABASE', 'DROP SCHEMA']))
  expect(json.policy.level_overrides).toMatchObject({ IMPACT_CRITICAL: 'block' })
  const answer = await strict.query('DELETE FROM events WHERE id <= 80')
  expect(answer).toMatchObject({ status: 'blocked', risk_level: 'IMPACT_CRITICAL' })
})

covers('T23', 'it is true for text that is no SQL, and false once that is mended', async () => {
  const broken = await world.query('SELEC 1')
  expect(broken).toMatchObject({ status: 'blocked', safety_metadata: { parse_error_present: true } })
  const mended = await world.query('SELECT 1')
  expect(mended).toMatchObject({ status: 'executed', safety_metadata: { parse_error_present: false } })
})

covers('T24', '80 % is refused with the figure; one row of the same table runs', async () => {
  const bulk = await strict.query('DELETE FROM events WHERE id <= 80')
  expect(bulk).toMatchObject({ status: 'blocked', safety_metadata: { affected_percent: 80 } })
  const narrow = await strict.query('DELETE FROM events WHERE id = 100')
  expect(narrow).toMatchObject({ status: 'executed', rows_affected: 1 })
})

covers('T25', 'it carries the action, the reason and an approval id', async () => {
  const held = await world.query('TRUNCATE events')
  expect(held).toMatchObject({
    status: 'approval_required',
    approval_id: expect.stringMatching(/^appr_[0-9a-f]{32}$/),
    safety_metadata: { policy_action: 'approve', requires_approval: true },
  })
  expect(held.safety_metadata.policy_reason).not.toBe('')
})

covers('T26', 'after it the statement runs once, with the approval id', async () => {
  const held = await world.query('DELETE FROM ledger')
  const line = 'curl -fsS -X POST -H "Authorization: Bearer $OPERATOR_TOKEN" $BACKSTOP_URL/approve/$ID'
  const answer = JSON.parse(await world.shell.read(line, { ID: held.approval_id }))
  expect(answer).toMatchObject({ status: 'approved', approval_id: held.approval_id })
  const again = await world.query('DELETE FROM ledger', held.approval_id)
  expect(again).toMatchObject({ status: 'executed', rows_affected: 10 })
  expect(await world.query('DELETE FROM ledger', held.approval_id)).not.toMatchObject({ status: 'executed' })
})

covers('T27', 'it shows what each level leads to, and every list of the file', async () => {
  const line = `curl -s -H "Authorization: Bearer $ADMIN_TOKEN" $BACKSTOP_URL/admin/status | jq '.policy'`
  expect(JSON.parse(await strict.shell.read(line))).toMatchObject({
    actions: { SAFE: 'execute', HIGH: 'execute', CRITICAL: 'approve', IMPACT_CRITICAL: 'block' },
    protected_tables: ['ledger'],
    protected_columns: { users: ['email'] },
  })
})

covers('T28', 'HIGH runs with it, and is held without', async () => {
  const high = 'CREATE INDEX users_by_name ON users (name)'
  expect(await world.query(high)).toMatchObject({ status: 'approval_required', risk_level: 'HIGH' })
  expect(await strict.query(high)).toMatchObject({ status: 'executed', risk_level: 'HIGH' })
})

covers('T29', 'CRITICAL is held with it', async () => {
  const answer = await strict.query('TRUNCATE events')
  expect(answer).toMatchObject({ status: 'approval_required', risk_level: 'CRITICAL' })
})

covers('C23', 'approve and block do; execute is accepted, and shown by the status and by policy check', async () => {
  expect(await strict.query('TRUNCATE events')).toMatchObject({ status: 'approval_required' })
  const check = async (action: string) =>
    JSON.parse(await world.shell.read('backstop policy check --json', { BACKSTOP_POLICY_CRITICAL: action })).actions
  expect(await check('block')).toMatchObject({ CRITICAL: 'block' })
  expect(await check('execute')).toMatchObject({ CRITICAL: 'execute' })
  const analyzed = await world.shell.read('backstop analyze "TRUNCATE users" --json', {
    BACKSTOP_POLICY_CRITICAL: 'block',
  })
  expect(JSON.parse(analyzed)).toMatchObject({ risk_level: 'CRITICAL', policy_action: 'block' })
})

covers('C24', 'each of the three actions counts, and another word stops the start', async () => {
  for (const action of ['execute', 'approve', 'block']) {
    const line = 'backstop analyze "CREATE INDEX i ON users (name)" --json'
    const answer = JSON.parse(await world.shell.read(line, { BACKSTOP_POLICY_HIGH: action }))
    expect(answer).toMatchObject({ risk_level: 'HIGH', policy_action: action })
  }
  const wrong = await world.shell.run('backstop up --port 0 --data other', { BACKSTOP_POLICY_HIGH: 'sometimes' })
  expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('BACKSTOP_POLICY_HIGH') })
})

covers('C25', 'every kind of write to such a table is refused, reads are not', async () => {
  for (const sql of [
    'UPDATE ledger SET amount = 0 WHERE id = 1',
    'INSERT INTO ledger VALUES (99, 1)',
    'DELETE FROM ledger WHERE id = 1',
    'WITH d AS (DELETE FROM ledger WHERE id = 1 RETURNING 1) SELECT count(*) FROM d',
  ]) {
    expect({ sql, ...(await strict.query(sql)) }).toMatchObject({ sql, status: 'blocked' })
  }
  expect(await strict.query('SELECT count(*) FROM ledger')).toMatchObject({ status: 'executed' })
})

covers('C26', 'a write of such a column is refused and names it; of another column it runs', async () => {
  const answer = await strict.query("UPDATE users SET email = 'x' WHERE id = 1")
  expect(answer.status).toBe('blocked')
  expect(JSON.stringify(answer.safety_metadata.protected_columns)).toContain('email')
  expect(await strict.query("UPDATE users SET name = 'x' WHERE id = 1")).toMatchObject({ status: 'executed' })
})

covers('C27', 'analyze_query and backstop analyze say what would be decided, and run nothing', async () => {
  const before = await strict.db.run('SELECT count(*)::int AS rows FROM users')
  const sql = 'DELETE FROM users'
  expect(await analyze(sql)).toMatchObject({ status: 'analyzed', risk_level: expect.stringMatching(/CRITICAL$/) })
  const answer = JSON.parse(await strict.shell.read(`backstop analyze "${sql}" --db $BACKSTOP_DB_URL --json`))
  expect(answer).toMatchObject({ risk_level: expect.stringMatching(/CRITICAL$/), policy_action: 'approve' })
  expect(await strict.db.run('SELECT count(*)::int AS rows FROM users')).toEqual(before)
})
