/** What keeps recovery points from being taken is told once, and told to be over once. */
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { MINUTE_MS } from '#lib/kernel/index.ts'
import { captureRound, watchHeartbeat, watchStaleness, watchTables } from '#lib/product/index.ts'
import { startTestProduct, type TestProduct, type TestProductOptions } from '#test/support/product.ts'
import { readAlerts, readMetrics, untilAlert } from '#test/support/watch/alerts.ts'
import { QUIET, untilFirstLook, untilFirstRound } from '#test/support/watch/quiet.ts'

const SEED = 'CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 20) i'
const ENVIRONMENT = { ...QUIET, BACKSTOP_SYNC_PORT: '0' }

let t: TestProduct
afterEach(() => t.stop())

const states = async (eventType: string) =>
  (await readAlerts(t, eventType)).map(({ state, severity }) => `${state} ${severity}`)

async function firstRound(options: TestProductOptions = {}, captured = 1): Promise<void> {
  t = await startTestProduct({ seedSql: SEED, environment: ENVIRONMENT, ...options })
  await untilFirstRound(t, captured)
  await untilFirstLook(t)
}

const health = async () => {
  const response = await fetch(`${t.product.syncUrl}/health`)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

test('a storage that cannot be used is one alert for as long as it lasts, and the background says so at its own door', async () => {
  await firstRound()
  expect(await health()).toMatchObject({
    status: 200,
    body: { service: 'backstop-sync', status: 'healthy', checked_at: expect.any(String), detail: expect.any(String) },
  })
  const storage = join(t.folder, 'storage')
  await rename(storage, `${storage}-gone`)
  await writeFile(storage, 'not a folder')
  await t.db.run('UPDATE t SET v = 0')
  for (let n = 0; n < 3; n++) await captureRound(t.product.parts).catch(() => undefined)
  expect(await states('storage_unreachable')).toEqual(['raised critical'])
  expect(await states('snapshot_capture_failed')).toEqual([])
  expect(await health()).toMatchObject({ status: 503 })
  await rm(storage)
  await rename(`${storage}-gone`, storage)
  await captureRound(t.product.parts)
  expect(await states('storage_unreachable')).toEqual(['resolved info', 'raised critical'])
  expect(await health()).toMatchObject({ status: 200 })
})

test('a table that nobody may read is told at once, and is over when it can be read', async () => {
  const role = "DROP ROLE IF EXISTS gw_trouble; CREATE ROLE gw_trouble LOGIN PASSWORD 'x'"
  await firstRound({ seedSql: `${SEED}; ${role}`, dbUrl: (db) => db.urlAs('gw_trouble', 'x') }, 0)
  for (let n = 0; n < 3; n++) await captureRound(t.product.parts)
  expect(await readAlerts(t, 'snapshot_capture_failed')).toMatchObject([
    { severity: 'critical', table_name: 'public.t', recommended_action: expect.stringContaining('GRANT SELECT') },
  ])
  expect(await readMetrics(t)).toContain('backstop_sync_snapshots_total{status="failed"} ')
  await t.db.run('GRANT SELECT ON t TO gw_trouble')
  await captureRound(t.product.parts)
  expect(await states('snapshot_capture_failed')).toEqual(['resolved info', 'raised critical'])
  await t.db.run('DROP OWNED BY gw_trouble')
})

test('a table whose newest point ages is told once, and once more when it is fresh', async () => {
  await firstRound()
  const { parts } = t.product
  const active = parts.policy.active()
  const policy = { ...active.policy, max_snapshot_age_seconds: -1 }
  const strict = { ...parts, policy: { ...parts.policy, active: () => ({ ...active, policy }) } }
  const look = await watchTables(parts)
  expect(await watchStaleness(parts, look)).toBe(0)
  for (let n = 0; n < 3; n++) expect(await watchStaleness(strict, look)).toBe(1)
  expect(await readAlerts(t, 'snapshot_stale')).toMatchObject([
    { severity: 'warning', table_name: 'public.t', facts: { snapshotAgeSeconds: expect.any(Number) } },
  ])
  await watchStaleness(parts, look)
  expect(await states('snapshot_stale')).toEqual(['resolved info', 'raised warning'])
})

test('a capture that says nothing any more is told, and at its own door it is not healthy', async () => {
  await firstRound()
  const { parts } = t.product
  const late = { ...parts, clock: { ...parts.clock, nowMs: () => Date.now() + 3 * 86_400_000 + MINUTE_MS } }
  expect(await watchHeartbeat(parts)).toBe(true)
  for (let n = 0; n < 2; n++) expect(await watchHeartbeat(late)).toBe(false)
  expect(await states('sidecar_stale')).toEqual(['raised critical'])
  await watchHeartbeat(parts)
  expect(await states('sidecar_stale')).toEqual(['resolved info', 'raised critical'])
})

test('a damaged point is set aside and told; the rest is told to have been read', async () => {
  await firstRound()
  const { points } = await t.product.parts.recovery.list()
  const path = join(t.folder, 'storage', points[0]?.manifestKey ?? '')
  await rm(path)
  await writeFile(path, 'no manifest')
  await captureRound(t.product.parts)
  expect(await untilAlert(t, 'snapshot_quarantined')).toMatchObject({ severity: 'critical', table_name: 'public.t' })
  expect(
    (await t.call('admin', 'GET', '/metadata/snapshots?table=t')).body.map((one: { status: string }) => one.status),
  ).toContain('quarantined')
})
