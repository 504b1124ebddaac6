/** The life of a table: seen, captured, destroyed with an approval, brought back; then everything that proves it. */
import assert from 'node:assert/strict'
import { eventually } from '#test/support/eventually.ts'
import { type Step, Unlooked } from './model.ts'
import { CLUSTER, type Shop } from './shop.ts'

const DROP = 'DROP TABLE payments'
const COUNT = 'SELECT count(*)::int FROM payments'

interface Memory {
  payments: unknown
  approvalId: string
  snapshotId: string
}

export function lifecycleSteps(shop: Shop): readonly Step[] {
  const memory: Memory = { payments: undefined, approvalId: '', snapshotId: '' }
  return [
    ['gateway_health', () => health(shop)],
    ['seed_database_loaded', () => seeded(shop, memory)],
    ['snapshot_metadata', () => captured(shop)],
    ['safe_query', () => safe(shop)],
    ['blocked_drop_database', () => blocked(shop)],
    ['critical_latest_snapshot', () => held(shop, memory)],
    ['critical_drop_table_approved', () => dropped(shop, memory)],
    ['restore', () => restored(shop, memory)],
    ['restore_validate', () => validated(shop, memory)],
    ['undo', () => undone(shop)],
    ['audit_verify', () => audited(shop)],
    ['gateway_metrics', () => measured(shop)],
    ['drills', () => drilled(shop)],
    ['logical_drill', () => drilledDump(shop)],
    ['doctor_launch', () => examined(shop)],
  ]
}

async function health(shop: Shop): Promise<string> {
  const { status, body } = await shop.get('/health')
  assert.equal(status, 200)
  assert.equal(body.status, 'ok')
  return `${shop.url} answers`
}

async function seeded(shop: Shop, memory: Memory): Promise<string> {
  memory.payments = await shop.look(COUNT)
  assert.ok(Number(memory.payments) > 0, 'payments is empty')
  return `${memory.payments} payments`
}

/** Of each table that a later step drills or asks about; the first round takes one after the other. */
async function captured(shop: Shop): Promise<string> {
  const ids: string[] = []
  for (const table of ['payments', 'customers', 'orders']) {
    const point = await eventually(
      async () => {
        const { body } = await shop.get(`/metadata/snapshots?table=${table}`, 'ops')
        return (body as { snapshot_id: string; status: string }[]).find(({ status }) => status === 'valid')
      },
      { timeoutMs: 120_000, everyMs: 200, what: `a valid recovery point of ${table}` },
    )
    ids.push(point.snapshot_id)
  }
  return `${ids.join(', ')} are valid`
}

async function safe(shop: Shop): Promise<string> {
  const answer = await shop.query('SELECT count(*)::int AS n FROM customers')
  assert.equal(answer.status, 'executed')
  assert.equal(answer.risk_level, 'SAFE')
  return `executed, ${answer.rows[0].n} customers`
}

async function blocked(shop: Shop): Promise<string> {
  const answer = await shop.query('DROP DATABASE postgres')
  assert.equal(answer.status, 'blocked')
  return answer.safety_metadata.policy_reason
}

async function held(shop: Shop, memory: Memory): Promise<string> {
  const answer = await shop.query(DROP)
  assert.equal(answer.status, 'approval_required')
  assert.equal(answer.risk_level, 'CRITICAL')
  assert.equal(answer.safety_metadata.recovery_possible, true)
  assert.equal(await shop.look(COUNT), memory.payments)
  memory.approvalId = answer.approval_id
  return `held as ${answer.approval_id}; it could be brought back`
}

async function dropped(shop: Shop, memory: Memory): Promise<string> {
  const approval = await shop.post(`/approve/${memory.approvalId}`, 'operator')
  assert.equal(approval.status, 200)
  const answer = await shop.query(DROP, memory.approvalId)
  assert.equal(answer.status, 'executed')
  assert.equal(await shop.look(`SELECT to_regclass('public.payments') IS NULL`), true)
  const point = (answer.recovery_points as { table: string; snapshot_id: string; row_count: number }[]).find(
    ({ table }) => table === 'payments',
  )
  assert.equal(point?.row_count, memory.payments)
  memory.snapshotId = point?.snapshot_id ?? ''
  return `dropped, its last state is ${memory.snapshotId}`
}

async function restored(shop: Shop, memory: Memory): Promise<string> {
  const words = ['recover', '--table', 'payments', '--snapshot-id', memory.snapshotId, '--yes', '--non-interactive']
  const { exitCode, data } = await shop.command(words)
  assert.equal(exitCode, 0, JSON.stringify(data.error))
  const count = await shop.look('SELECT count(*)::int FROM payments_recovered')
  assert.equal(count, memory.payments)
  return `${count} rows in payments_recovered`
}

async function validated(shop: Shop, memory: Memory): Promise<string> {
  const { exitCode, data } = await shop.command([
    ...['restore-validate', '--table', 'payments', '--snapshot-id', memory.snapshotId],
  ])
  assert.equal(exitCode, 0, JSON.stringify(data))
  assert.equal(data.ok, true)
  return `equal to ${memory.snapshotId}`
}

async function undone(shop: Shop): Promise<string> {
  const before = await shop.look(`SELECT full_name FROM customers WHERE id = 1`)
  const update = `UPDATE customers SET full_name = 'nobody' WHERE id = 1`
  let answer = await shop.query(update)
  if (answer.status === 'approval_required') {
    await shop.post(`/approve/${answer.approval_id}`, 'operator')
    answer = await shop.query(update, answer.approval_id)
  }
  assert.equal(answer.status, 'executed')
  assert.equal(await shop.look(`SELECT full_name FROM customers WHERE id = 1`), 'nobody')
  const { exitCode, data } = await shop.command(['undo', answer.audit_id], 'admin')
  assert.equal(exitCode, 0, JSON.stringify(data))
  assert.equal(await shop.look(`SELECT full_name FROM customers WHERE id = 1`), before)
  return `${answer.audit_id} is reversed`
}

async function audited(shop: Shop): Promise<string> {
  const { exitCode, data } = await shop.command(['audit', 'verify', '--data', shop.dataFolder])
  assert.equal(exitCode, 0, JSON.stringify(data))
  return 'nothing was changed, removed or reordered'
}

async function measured(shop: Shop): Promise<string> {
  const text = await shop.text('/metrics', 'ops')
  for (const name of [
    'backstop_gateway_queries_total',
    'backstop_query_duration_seconds',
    'backstop_gateway_approvals_total',
  ]) {
    assert.match(text, new RegExp(`^${name}`, 'm'))
  }
  const executed = /^backstop_gateway_queries_total\{.*status="executed".*\} (\d+)/m.exec(text)?.[1]
  assert.ok(Number(executed) > 0, 'no statement was counted')
  return `${text.split('\n').filter((line) => line.startsWith('backstop_')).length} figures`
}

async function drilled(shop: Shop): Promise<string> {
  const drills = [
    ['table-restore', ['--table', 'customers']],
    ['wal-archive-fetch', ['--cluster-id', CLUSTER]],
    ['pitr-prepare', ['--cluster-id', CLUSTER, '--simulate']],
  ] as const
  const said: string[] = []
  for (const [kind, more] of drills) {
    const { exitCode, data } = await shop.command(['drill', kind, ...more])
    assert.equal(exitCode, 0, JSON.stringify(data.error))
    said.push(`${kind} ok`)
  }
  return said.join(', ')
}

/** Where PostgreSQL's programs are missing or older than the server it can prove nothing, and says so. */
async function drilledDump(shop: Shop): Promise<string> {
  const target = new URL(shop.databaseUrl)
  target.pathname = '/mydb_drill'
  const urls = ['--source-db', shop.databaseUrl, '--target-db', target.href]
  const { data } = await shop.command(['drill', 'logical-backup-restore', ...urls])
  const listed = await shop.command(['drill', 'list'])
  assert.equal(listed.data.drills.length, 4)
  if (data.result === 'skipped' && data.skipped.length > 0) throw new Unlooked(data.error.message)
  assert.equal(data.result, 'ok', JSON.stringify(data.error))
  return 'logical-backup-restore ok'
}

async function examined(shop: Shop): Promise<string> {
  const { exitCode, data } = await shop.command(['doctor', 'launch', '--table', 'customers,orders'])
  assert.equal(exitCode, 0, JSON.stringify(data.blocking))
  assert.ok(['ready', 'degraded'].includes(data.verdict), data.verdict)
  for (const item of data.degraded) assert.ok(item.fix.length > 0 && item.owner_question.length > 0)
  const open = data.degraded.map(({ check }: { check: string }) => check)
  return `${data.verdict}${open.length === 0 ? '' : `, each with its fix: ${[...new Set(open)].join(', ')}`}`
}
