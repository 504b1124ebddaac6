/** Captures whose process ended, or lost its metadata, between the manifest and the record of the point. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BackstopError, MINUTE_MS } from '#lib/kernel/index.ts'
import type { RecordStore, RecoveryPoint } from '#lib/ports/index.ts'
import { beginCapture, enterUnnoted, PointCatalog } from '#lib/recovery/catalog/index.ts'
import type { FixedClock } from '#test/support/fixed-clock.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'
import { wrappedStore } from '#test/support/recovery/wrapped-store.ts'

const A = { schema: 'public', name: 'a' }
const B = { schema: 'public', name: 'b' }
const POLICY = { allowedTables: [], minimumAgeMs: 60_000 }
/** The storage dates objects by the clock of the machine. */
const SETTLED_MS = 6 * MINUTE_MS
const RETENTION = {
  keepLast: 1,
  keepDays: 0,
  keepHourly: 0,
  keepDaily: 0,
  keepWeekly: 0,
  keepMonthly: 0,
  finalDays: 0,
  quarantineDays: 30,
}

let db: TestDatabase
let clock: FixedClock
let slice: TestRecovery

beforeEach(async () => {
  db = await createTestDatabase(
    'CREATE TABLE a (id integer PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 100); CREATE TABLE b (a integer REFERENCES a)',
  )
  clock = createFixedClock(Date.now())
  slice = await openTestRecovery(db.database, { clock })
})

afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

/** The metadata is out of reach from the moment at which a point is to be noted; `after` so many were. */
function losing(after = 0): (records: RecordStore) => RecordStore {
  let noted = 0
  return (records) => ({
    find: (key) => records.find(key),
    query: (query) => records.query(query),
    write: (write) => records.write(write),
    transact: async (writes, token) => {
      noted += 1
      if (noted > after) throw new BackstopError('METADATA_UNREACHABLE', 'the process has ended here')
      await records.transact(writes, token)
    },
  })
}

async function lose(work: (lost: TestRecovery) => Promise<unknown>, after = 0): Promise<void> {
  const lost = await openTestRecovery(db.database, { clock, folder: slice.folder, wrapRecords: losing(after) })
  await expect(work(lost)).rejects.toThrow('the process has ended here')
  await lost.close()
}

const inStorage = async (): Promise<readonly RecoveryPoint[]> => (await slice.recovery.scan()).points
const inCatalog = async () => (await slice.recovery.list()).points
const idsOf = (points: readonly { readonly snapshotId: string }[]) => points.map(({ snapshotId }) => snapshotId).sort()

test('the next plan enters the whole point once, and what it brings back is right', async () => {
  await lose(({ recovery }) => recovery.capture(A, 'manual'))
  expect(await inCatalog()).toEqual([])
  const [whole] = await inStorage()
  clock.advance(SETTLED_MS)
  const plan = await slice.recovery.planRound(POLICY)
  expect(plan.regained).toEqual([whole])
  expect(await inCatalog()).toMatchObject([{ ...whole }])
  expect(await slice.recovery.findHeartbeat()).toMatchObject({ detail: expect.stringMatching(/, 1 regained$/) })
  const report = await slice.recovery.restore({ snapshotId: whole?.snapshotId as `snap_${string}` })
  expect(report.rowCount).toBe(100)
  expect((await slice.recovery.planRound(POLICY)).regained).toEqual([])
  const checked = await slice.recovery.verifyPoints({ budgetBytes: 1_000_000, maxPoints: 10 })
  expect(checked).toMatchObject({ checked: 1, corrupt: [] })
})

test('one whose process may still be reading it back is left for a later plan', async () => {
  await lose(({ recovery }) => recovery.capture(A, 'manual'))
  clock.advance(MINUTE_MS)
  expect((await slice.recovery.planRound(POLICY)).regained).toEqual([])
  clock.advance(SETTLED_MS)
  expect((await slice.recovery.planRound(POLICY)).regained).toHaveLength(1)
})

test('one that lacks a part, or whose manifest is not what was written, stays out and stops no round', async () => {
  await lose(({ recovery }) => recovery.capture(A, 'manual'))
  await lose(({ recovery }) => recovery.capture(A, 'manual'))
  const [first, second] = await inStorage()
  const parts = (await slice.objects.list(`${first?.manifestKey.replace('manifest.json', 'part-')}`)).objects
  expect(parts).toHaveLength(1)
  await slice.objects.delete(String(parts[0]?.key))
  const text = Buffer.from(await slice.objects.read(String(second?.manifestKey))).toString()
  await slice.objects.put(String(second?.manifestKey), Buffer.from(text.replace('"rowCount":100', '"rowCount":101')))
  clock.advance(SETTLED_MS)
  const plan = await slice.recovery.planRound(POLICY)
  expect(plan).toMatchObject({ regained: [], quarantined: [] })
  expect(plan.captures).toHaveLength(2)
  expect(await inCatalog()).toEqual([])
})

test('a point of a table that was dropped and made anew is that of the old one, and the new one is captured', async () => {
  await lose(({ recovery }) => recovery.capture(A, 'manual'))
  await db.run('DROP TABLE a CASCADE; CREATE TABLE a (other text)')
  clock.advance(SETTLED_MS)
  const { regained, captures } = await slice.recovery.planRound(POLICY)
  const [order] = captures.filter(({ relation }) => relation.name === 'a')
  expect(order).toMatchObject({ because: 'new-table' })
  expect(regained.map(({ relationOid }) => relationOid === order?.relationOid)).toEqual([false])
})

test('a manifest of another relation than the capture had in hand is not entered', async () => {
  const other = await openTestRecovery(db.database, { clock, folder: `${slice.folder}/other` })
  const point = await other.recovery.capture(A, 'manual')
  await other.close()
  const { snapshotId, relation, relationOid } = point
  const ports = { ...slice, objects: other.objects, catalog: new PointCatalog(slice.records), clock }
  await beginCapture(slice.records, { snapshotId, relation, relationOid: relationOid + 1 }, clock.nowMs())
  clock.advance(SETTLED_MS)
  expect(await enterUnnoted(ports)).toEqual([])
  expect(await inCatalog()).toEqual([])
  await beginCapture(slice.records, { snapshotId, relation, relationOid }, clock.nowMs())
  expect(await enterUnnoted(ports)).toEqual([point])
})

test('what retention has removed is not entered again, though its objects come back', async () => {
  const kept = await slice.recovery.capture(A, 'manual')
  const bytes = await slice.objects.read(kept.manifestKey)
  const catalog = new PointCatalog(slice.records)
  expect(await catalog.retire(kept, [])).toBe(true)
  await catalog.forget(kept.snapshotId)
  await slice.objects.put(kept.manifestKey, bytes)
  clock.advance(SETTLED_MS)
  expect((await slice.recovery.planRound(POLICY)).regained).toEqual([])
})

test('two plans at once enter a point once', async () => {
  await lose(({ recovery }) => recovery.capture(A, 'manual'))
  clock.advance(SETTLED_MS)
  const other = await openTestRecovery(db.database, { clock, folder: slice.folder })
  const plans = await Promise.all([slice.recovery.planRound(POLICY), other.recovery.planRound(POLICY)])
  await other.close()
  expect(plans.flatMap(({ regained }) => regained)).toHaveLength(1)
  expect(await inCatalog()).toHaveLength(1)
})

test('members of a set that never came about are points of their tables, and no set', async () => {
  await lose(({ recovery }) => recovery.captureSet([A, B], 'schedule'), 1)
  expect(await inCatalog()).toHaveLength(1)
  const whole = await inStorage()
  clock.advance(SETTLED_MS)
  const { regained } = await slice.recovery.planRound(POLICY)
  expect(regained.length + 1).toBe(whole.length)
  expect(idsOf(await inCatalog())).toEqual(idsOf(whole))
  expect((await slice.recovery.sets.list()).sets).toEqual([])
  expect(await slice.recovery.findNewestValidSet([A, B])).toBeUndefined()
})

test('a capture that ends, well or badly, leaves nothing to look at', async () => {
  await slice.recovery.capture(A, 'manual')
  await expect(slice.recovery.capture({ schema: 'public', name: 'gone' }, 'manual')).rejects.toThrow()
  const closed = await openTestRecovery(db.database, {
    clock,
    folder: slice.folder,
    wrapObjects: (objects) =>
      wrappedStore(objects, {
        openUpload: async () => {
          throw new BackstopError('STORAGE_UNREACHABLE', 'the disk is full')
        },
      }),
  })
  await expect(closed.recovery.capture(A, 'manual')).rejects.toThrow('the disk is full')
  await closed.close()
  expect((await slice.records.query({ partition: 'recovery-begun' })).records).toEqual([])
})

test('retention enters it as well, and removes it where no rule keeps it', async () => {
  await lose(({ recovery }) => recovery.capture(A, 'manual'))
  const [lost] = await inStorage()
  clock.advance(2 * 60 * MINUTE_MS)
  const kept = await slice.recovery.capture(A, 'manual')
  clock.advance(2 * 60 * MINUTE_MS)
  const request = { policy: RETENTION, findNeeded: async () => [] }
  expect(await slice.recovery.retain({ ...request, isDryRun: true })).toMatchObject({ removed: [] })
  const report = await slice.recovery.retain(request)
  expect(idsOf(report.removed)).toEqual([lost?.snapshotId])
  expect(await inStorage()).toEqual([kept])
})
