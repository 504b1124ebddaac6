/** What the drill task of a running product does: each kind once, its evidence kept, nothing left behind. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { drillWhenDue } from '#lib/product/index.ts'
import { readEvidence } from '#lib/recovery/index.ts'
import { drillGround } from '#lib/runtime/drill-ground.ts'
import { eventually } from '#test/support/eventually.ts'
import { startTestProduct, type TestProduct } from '#test/support/product.ts'

let t: TestProduct
beforeAll(async () => {
  t = await startTestProduct({
    seedSql: 'CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 100)',
    environment: { BACKSTOP_CLUSTER_ID: 'prod' },
  })
  await eventually(async () => (await t.product.parts.recovery.list()).points.length > 0, { timeoutMs: 60_000 })
})
afterAll(() => t?.stop())

test('each kind is drilled when it never was, and again only when its time has come', async () => {
  const { parts, databaseUrl } = t.product
  const ground = drillGround(`file://${t.folder}/storage`, databaseUrl)
  const drills = await drillWhenDue(parts, ground)
  const results = Object.fromEntries(drills.map(({ evidence }) => [evidence.kind, evidence.result]))
  // The last two need PostgreSQL's programs of the server's version, and a base backup: not everywhere.
  expect(results).toEqual({
    'table-restore': 'ok',
    'wal-archive-fetch': 'ok',
    'pitr-prepare': 'ok',
    'pitr-restore': 'skipped',
    'logical-backup-restore': expect.stringMatching(/^(ok|skipped)$/),
  })
  expect(drills.map(({ evidence }) => evidence.failure)).toEqual([null, null, null, null, null])
  expect(await drillWhenDue(parts, ground)).toEqual([])

  const { drills: kept, problems } = await readEvidence(parts.objects)
  expect(problems).toEqual([])
  expect(kept.map(({ sha256 }) => sha256).sort()).toEqual(drills.map(({ sha256 }) => sha256).sort())
  expect((await parts.recovery.listDrills()).drills).toHaveLength(5)
  expect((await parts.objects.list('drills/scratch/')).objects).toEqual([])
  expect(await t.db.run(`SELECT datname FROM pg_database WHERE datname LIKE 'backstop_drill%'`)).toEqual([])
  const { body } = await t.call('operator', 'GET', '/metadata/alerts')
  const events = body.items.map(({ event_type }: { event_type: string }) => event_type)
  expect(events).toContain('drill_skipped')
  expect(events).not.toContain('drill_failed')
})
