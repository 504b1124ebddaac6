/** Which point counts as the newest, and how a point leaves the catalog. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Instant } from '#lib/kernel/index.ts'
import type { RecordKey } from '#lib/ports/index.ts'
import { listDueChecks, PointCatalog } from '#lib/recovery/catalog/index.ts'
import type { LaggingStore } from '#test/support/cloud/lagging-index.ts'
import { openLaggingStore } from '#test/support/cloud/lagging-index.ts'
import { createFixedClock, FIXED_START_MS } from '#test/support/fixed-clock.ts'
import { pointOf } from '#test/support/recovery/point.ts'

const KEPT: RecordKey = { partition: 'kept', sort: 'kept' }
const OLD = pointOf('1', '2027-01-15T07:00:00.000Z')
const RECENT = pointOf('2', '2027-01-15T07:59:00.000Z')
const AHEAD = pointOf('3', '2027-01-16T08:00:00.000Z')

let records: LaggingStore
let catalog: PointCatalog
beforeEach(async () => {
  records = openLaggingStore(createFixedClock())
  catalog = new PointCatalog(records)
  for (const point of [OLD, RECENT, AHEAD]) await catalog.add(point)
  await records.catchUp()
})
afterEach(() => records.close())

async function dueIds(): Promise<readonly string[]> {
  await records.catchUp()
  const ids: string[] = []
  for await (const { snapshotId } of listDueChecks(records)) ids.push(snapshotId)
  return ids
}

test('a point that a clock dated ahead is not preferred to one whose age can be trusted', async () => {
  expect(await catalog.findNewestTrusted(OLD.relation, FIXED_START_MS)).toEqual(RECENT)
})

test('where there is no other, a point that is dated ahead is better than none', async () => {
  for (const { snapshotId } of [OLD, RECENT]) await catalog.quarantine(snapshotId, 'damaged', OLD.capturedAt)
  expect(await catalog.findNewestTrusted(OLD.relation, FIXED_START_MS)).toEqual(AHEAD)
})

test('a point that is set aside says since when, and setting it aside again does not make that later', async () => {
  await catalog.quarantine(OLD.snapshotId, 'damaged', '2027-01-15T08:00:00.000Z' as Instant)
  const again = await catalog.quarantine(OLD.snapshotId, 'worse', '2027-01-16T08:00:00.000Z' as Instant)
  expect(again).toMatchObject({ quarantinedAt: '2027-01-15T08:00:00.000Z', validationError: 'worse' })
})

test('a retired point is not offered, cannot be set aside, and comes back as what it was', async () => {
  expect(await catalog.retire(RECENT, [KEPT])).toBe(true)
  expect(await catalog.findNewestTrusted(OLD.relation, FIXED_START_MS)).toEqual(OLD)
  expect((await catalog.quarantine(RECENT.snapshotId, 'missing', OLD.capturedAt)).status).toBe('retired')
  expect(await catalog.reinstate(RECENT.snapshotId)).toEqual(RECENT)
  expect(await catalog.reinstate(RECENT.snapshotId)).toEqual(RECENT)
})

test('a point is not retired when something came to keep it, or when it is not as it was planned', async () => {
  await records.write({ kind: 'create', record: { key: KEPT, body: {} } })
  expect(await catalog.retire(OLD, [KEPT])).toBe(false)
  await catalog.confirm(OLD.snapshotId, RECENT.capturedAt)
  expect(await catalog.retire(OLD, [])).toBe(false)
  expect(await catalog.retire(pointOf('9', '2027-01-15T07:00:00.000Z'), [])).toBe(false)
  expect((await catalog.find(OLD.snapshotId))?.status).toBe('valid')
})

test('only a retired point is forgotten, and its check with it', async () => {
  await catalog.forget(OLD.snapshotId)
  expect(await catalog.find(OLD.snapshotId)).toEqual(OLD)
  await catalog.retire(OLD, [])
  await catalog.forget(OLD.snapshotId)
  await catalog.forget(OLD.snapshotId)
  await records.catchUp()
  expect(await catalog.find(OLD.snapshotId)).toBeUndefined()
  expect(await dueIds()).toEqual([RECENT.snapshotId, AHEAD.snapshotId])
})

test('a record beside a point is made once, and never beside one that is being removed', async () => {
  const record = { key: KEPT, body: {} }
  expect(await catalog.createBeside(OLD.snapshotId, record)).toBe(true)
  expect(await catalog.createBeside(OLD.snapshotId, record)).toBe(false)
  await catalog.retire(RECENT, [])
  expect(await catalog.createBeside(RECENT.snapshotId, { key: { ...KEPT, sort: 'other' }, body: {} })).toBe(false)
})
