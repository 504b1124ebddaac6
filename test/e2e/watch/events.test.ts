/** What the gate tells its operators, raised for real and brought to a receiver. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BackstopError } from '#lib/kernel/index.ts'
import { expire, tellRefusals } from '#lib/product/index.ts'
import { runCliJson } from '#test/support/cli/run-cli.ts'
import { eventually } from '#test/support/eventually.ts'
import { startTestProduct, type TestProduct, TOKENS } from '#test/support/product.ts'
import { readAlerts, readMetrics, untilAlert } from '#test/support/watch/alerts.ts'
import { type Receiver, startReceiver } from '#test/support/watch/receiver.ts'

const SEED = `CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 20) i;
  CREATE TABLE hidden (id int)`

let t: TestProduct
let receiver: Receiver
beforeEach(async () => {
  receiver = await startReceiver()
})
afterEach(async () => {
  await t.stop()
  await receiver.close()
})

const start = async (environment: Record<string, string> = {}) => {
  t = await startTestProduct({
    seedSql: SEED,
    environment: { BACKSTOP_ALERT_WEBHOOK: `${receiver.url}/hook, slack+${receiver.url}/chat`, ...environment },
  })
  await eventually(async () => (await t.product.parts.recovery.list()).points.length >= 2, { timeoutMs: 60_000 })
}
const delivered = (eventType: string) => receiver.received.filter(({ body }) => body.event_type === eventType)
const cli = (...args: string[]) => runCliJson(args, { BACKSTOP_URL: t.product.url, BACKSTOP_TOKEN: TOKENS.admin })

test('a held statement and a denial reach operators, without the statement', async () => {
  await start()
  const held = await t.query('DELETE FROM t -- secret-remark')
  expect(await untilAlert(t, 'approval_requested', ({ status }) => status === 'sent')).toMatchObject({
    severity: 'warning',
    recommended_action: expect.stringContaining(held.approval_id),
    deliveries: [{ status: 'sent' }, { status: 'sent' }],
  })
  await t.call('operator', 'POST', `/deny/${held.approval_id}`)
  expect(await untilAlert(t, 'approval_denied')).toMatchObject({ facts: { deniedBy: 'operator', operation: 'DELETE' } })
  await eventually(() => delivered('approval_denied').length > 0 && delivered('approval_requested').length > 0)
  expect(receiver.received.map(({ text }) => text).join()).not.toContain('secret-remark')
})

test('an approval that runs out reaches operators, without the statement', async () => {
  await start({ BACKSTOP_APPROVAL_TIMEOUT_SECONDS: '2' })
  await t.query('TRUNCATE t -- secret-remark')
  await eventually(async () => {
    await expire(t.product.parts)
    return (await readAlerts(t, 'approval_timeout')).length > 0
  })
  await eventually(() => delivered('approval_timeout').length > 0 && delivered('approval_requested').length > 0)
  expect(receiver.received.map(({ text }) => text).join()).not.toContain('secret-remark')
})

test('a pause, what it refuses and its end reach operators', async () => {
  await start()
  const held = await t.query('DELETE FROM t')
  await t.call('operator', 'POST', `/approve/${held.approval_id}`)
  await t.call('admin', 'POST', '/admin/pause', { reason: 'an incident' })
  for (let n = 0; n < 3; n++) await t.query('UPDATE t SET v = 0 WHERE id = 1')
  await t.query('DELETE FROM t', { approval_id: held.approval_id })
  await t.call('admin', 'POST', '/admin/resume')
  const told = (await readAlerts(t)).filter(
    ({ event_type }) => event_type.includes('paused') || event_type.includes('resumed'),
  )
  expect(told.map(({ event_type, severity, state }) => [event_type, severity, state])).toEqual([
    ['emergency_resumed', 'critical', 'resolved'],
    ['approved_execution_blocked_paused', 'critical', 'raised'],
    ['execution_blocked_paused', 'critical', 'raised'],
    ['emergency_paused', 'critical', 'raised'],
  ])
  expect(await readMetrics(t)).toContain(
    'backstop_gateway_alerts_total{event_type="execution_blocked_paused",status="repeated"} 2',
  )
})

test('blocked destruction and quarantine reach operators', async () => {
  await start()
  await t.query('DROP SCHEMA public CASCADE')
  for (let n = 0; n < 3; n++) await t.query('DROP DATABASE postgres')
  expect(await untilAlert(t, 'blocked_drop_database')).toMatchObject({ severity: 'critical' })
  expect(await untilAlert(t, 'blocked_drop_schema')).toMatchObject({ severity: 'critical' })
  expect(await untilAlert(t, 'agent_quarantined')).toMatchObject({
    severity: 'critical',
    facts: { principal: 'agent' },
  })
})

test('a destruction without a recovery point reaches operators', async () => {
  await start()
  const { recovery } = t.product.parts
  vi.spyOn(recovery, 'findNewestValid').mockResolvedValue(undefined)
  vi.spyOn(recovery, 'capture').mockRejectedValue(new BackstopError('STORAGE_UNREACHABLE', 'the storage is gone'))
  expect(await t.query('DROP TABLE hidden')).toMatchObject({ status: 'blocked' })
  expect(await untilAlert(t, 'recovery_readiness_failed')).toMatchObject({ severity: 'critical' })
})

test('a request for approval that cannot be kept reaches operators, and nothing runs', async () => {
  await start()
  const { approvals } = t.product.parts
  vi.spyOn(approvals, 'hold').mockRejectedValue(new BackstopError('METADATA_UNREACHABLE', 'the disk is full'))
  expect(await t.query('DELETE FROM t')).toMatchObject({ error: expect.anything() })
  expect(await untilAlert(t, 'approval_metadata_write_failed')).toMatchObject({ severity: 'critical' })
  expect(await t.db.run('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 20 }])
})

test('refused credentials are told together', async () => {
  await start()
  for (let n = 0; n < 5; n++) await t.call(undefined, 'GET', '/pending')
  for (let n = 0; n < 2; n++) await t.call('agent', 'GET', '/pending')
  await tellRefusals(t.product.parts)
  await tellRefusals(t.product.parts)
  expect(await readAlerts(t, 'auth_unauthorized')).toMatchObject([{ severity: 'warning', facts: { requests: 5 } }])
  expect(await readAlerts(t, 'auth_forbidden')).toMatchObject([{ severity: 'warning', facts: { requests: 2 } }])
})

test('alerts test says whether everybody who is to be told is reached, and alerts list shows it', async () => {
  await start()
  const sent = await cli('alerts', 'test')
  expect(sent).toMatchObject({
    exitCode: 0,
    data: { status: 'sent', targets: { length: 2 }, deliveries: { length: 2 } },
  })
  const { alert_id: alertId } = sent.data
  // The background may have something to tell as well, and what is not answered in time comes again.
  const paths = receiver.received.filter(({ text }) => text.includes(alertId)).map(({ path }) => path)
  expect(new Set(paths)).toEqual(new Set(['/chat', '/hook']))
  const listed = await cli('alerts', 'list', '--limit', '5')
  expect(listed.data.alerts).toContainEqual(
    expect.objectContaining({ event_type: 'alert_test', id: alertId, status: 'sent' }),
  )
  receiver.answerWith(...Array.from({ length: 5_000 }, () => ({ status: 500 })))
  // Within that second a busy machine may not have tried both.
  await eventually(
    async () => {
      const { exitCode, data } = await cli('alerts', 'test', '--wait', '1')
      expect(exitCode).toBe(1)
      return data.status === 'failed_http_500'
    },
    { timeoutMs: 120_000, what: 'a refused delivery' },
  )
})

test('alerts test fails where nobody is to be told', async () => {
  await start({ BACKSTOP_ALERT_WEBHOOK: '' })
  expect(await cli('alerts', 'test')).toMatchObject({ exitCode: 1, data: { status: 'recorded', targets: [] } })
})
