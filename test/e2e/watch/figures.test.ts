/** Every figure of the published list, in the scrape of a running product, after what it counts has happened. */
import { Client } from 'pg'
import { afterEach, expect, test } from 'vitest'
import { captureRound, drillTable, retainPoints, verifyPoints, watchTables } from '#lib/product/index.ts'
import { startTestProduct, type TestProduct } from '#test/support/product.ts'
import { readMetrics, untilAlert } from '#test/support/watch/alerts.ts'
import { untilFirstLook, untilFirstRound } from '#test/support/watch/quiet.ts'

const SEED = `CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 20) i;
  CREATE TABLE gone (id int)`

let t: TestProduct
afterEach(() => t.stop())

/** One figure with the labels that are named here; any value above zero. */
const counted = (name: string, ...labels: string[]) =>
  new RegExp(`^${name}\\{${labels.map((label) => `(?=[^}]*${label})`).join('')}[^}]*\\} [1-9]`, 'm')
const plain = (name: string) => new RegExp(`^${name} [1-9]`, 'm')

const PUBLISHED: readonly RegExp[] = [
  counted('backstop_gateway_queries_total', 'risk="SAFE"', 'status="executed"'),
  counted('backstop_gateway_queries_total', 'status="approval_required"'),
  counted('backstop_gateway_queries_total', 'status="blocked"'),
  counted('backstop_query_duration_seconds_count', 'risk="SAFE"'),
  counted('backstop_gateway_approvals_total', 'decision="approved"'),
  counted('backstop_gateway_approvals_total', 'decision="denied"'),
  counted('backstop_gateway_blocks_total', 'reason="paused"'),
  counted('backstop_gateway_blocks_total', 'reason="drop database"'),
  counted('backstop_gateway_blocks_total', 'reason="auth_unauthorized"'),
  counted('backstop_gateway_blocks_total', 'reason="auth_forbidden"'),
  counted('backstop_gateway_blocks_total', 'reason="agent_quarantined"'),
  counted('backstop_gateway_recovery_verifications_total', 'status="verified"'),
  counted('backstop_recovery_readiness_total', 'status="ready"', 'reason="verified"'),
  counted('backstop_agent_risky_attempts_total', 'risk="CRITICAL"'),
  plain('backstop_agent_quarantines_total'),
  counted('backstop_gateway_alerts_total', 'event_type="approval_requested"', 'status="recorded"'),
  counted('backstop_sync_snapshots_total', 'status="success"'),
  plain('backstop_sync_snapshot_rows_total'),
  /^backstop_sync_latest_snapshot_age_seconds\{table="public.t"\} \d/m,
  plain('backstop_sync_dropped_tables_total'),
  counted('backstop_bypass_connections_total', 'role="postgres"', 'application="psql"'),
  counted('backstop_prevention_posture', 'status="recovery_only"'),
  /^backstop_prevention_posture\{status="healthy"\} 0$/m,
  counted('backstop_sync_health', 'status="healthy"'),
  /^backstop_sync_health\{status="starting"\} 0$/m,
  counted('backstop_sync_verified_points_total', 'status="ok"'),
  plain('backstop_sync_verified_bytes_total'),
  counted('backstop_drills_total', 'kind="table-restore"', 'status="ok"'),
  /^backstop_drill_last_success_age_seconds\{kind="table-restore"\} \d/m,
  counted('backstop_sync_retention_points_total', 'outcome="kept"'),
  counted('backstop_build_info', 'version="'),
]

test('every published figure counts what happens', async () => {
  const environment = { BACKSTOP_SNAPSHOT_INTERVAL_SECONDS: '86400', BACKSTOP_WATCH_INTERVAL_SECONDS: '1' }
  t = await startTestProduct({ seedSql: SEED, environment })
  const { parts } = t.product
  await untilFirstRound(t, 2)
  await untilFirstLook(t)
  await t.query('SELECT * FROM t')
  for (const decision of ['approve', 'deny']) {
    const { approval_id } = await t.query('TRUNCATE t')
    await t.call('operator', 'POST', `/${decision}/${approval_id}`)
    if (decision === 'approve') expect(await t.query('TRUNCATE t')).toMatchObject({ status: 'executed' })
  }
  await t.call('admin', 'POST', '/admin/pause')
  expect(await readMetrics(t)).toContain('backstop_gateway_pause_state 1')
  await t.query('UPDATE t SET v = 0 WHERE id = 1')
  await t.call('admin', 'POST', '/admin/resume')
  await t.call(undefined, 'GET', '/pending')
  await t.call('agent', 'GET', '/pending')
  for (let n = 0; n < 4; n++) await t.query('DROP DATABASE postgres', {}, 'agent2')
  await t.query('UPDATE t SET v = 0 WHERE id = 1', {}, 'agent2')
  await t.db.run('DROP TABLE gone')
  await watchTables(parts)
  await captureRound(parts)
  await verifyPoints(parts)
  expect((await drillTable(parts)).evidence.result).toBe('ok')
  await retainPoints(parts)
  const stranger = new Client({ connectionString: t.db.url, application_name: 'psql' })
  await stranger.connect()
  // The set-up's own short sessions may have been seen as well.
  await untilAlert(t, 'gateway_bypass_detected', ({ facts }) => facts['applicationName'] === 'psql')
  const metrics = await readMetrics(t)
  for (const figure of PUBLISHED) expect(metrics).toMatch(figure)
  const named = [...metrics.matchAll(/^(backstop_\w+?)(?:_bucket|_sum|_count)?[{ ]/gm)].map(([, name]) => name)
  for (const name of new Set(named)) {
    expect(metrics).toMatch(new RegExp(`^# HELP ${name} \\S`, 'm'))
  }
  await stranger.end()
})
