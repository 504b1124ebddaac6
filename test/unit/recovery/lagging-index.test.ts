/** The catalog of recovery points over indexes that lag behind, as DynamoDB's do. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Instant } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { PointCatalog } from '#lib/recovery/catalog/index.ts'
import type { LaggingStore } from '#test/support/cloud/lagging-index.ts'
import { openLaggingStore } from '#test/support/cloud/lagging-index.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'

const POINT: RecoveryPoint = {
  snapshotId: `snap_${'1'.repeat(32)}`,
  relation: { schema: 'public', name: 'orders' },
  relationOid: 16_384,
  status: 'valid',
  origin: 'manual',
  capturedAt: '2027-01-15T08:00:00.000Z' as Instant,
  rowCount: 1,
  sizeBytes: 100,
  manifestKey: 'snapshots/public/orders/manifest.json',
  manifestSha256: '0'.repeat(64),
}

let records: LaggingStore
let catalog: PointCatalog
beforeEach(() => {
  records = openLaggingStore(createFixedClock())
  catalog = new PointCatalog(records)
})
afterEach(() => records.close())

it('finds the newest valid point of a table at once', async () => {
  await catalog.add(POINT)
  expect(await catalog.findNewestValid(POINT.relation)).toEqual(POINT)
})

it('changes a point again while the index still shows it as it was', async () => {
  await catalog.add(POINT)
  await records.catchUp()
  await catalog.confirm(POINT.snapshotId, '2027-01-15T08:01:00.000Z' as Instant)
  await catalog.confirm(POINT.snapshotId, '2027-01-15T08:02:00.000Z' as Instant)
  expect(await catalog.find(POINT.snapshotId)).toEqual({ ...POINT, confirmedAt: '2027-01-15T08:02:00.000Z' })
})

it('never shows a point as valid that was set aside', async () => {
  await catalog.add(POINT)
  await records.catchUp()
  await catalog.quarantine(POINT.snapshotId, 'damaged', POINT.capturedAt)
  expect((await catalog.find(POINT.snapshotId))?.status).toBe('quarantined')
  expect(await catalog.findNewestValid(POINT.relation)).toBeUndefined()
})
