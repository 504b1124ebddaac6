/** Stored points are read again within a budget; corrupt ones are set aside alone, and trouble is not corruption. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SnapshotId } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { PointCatalog } from '#lib/recovery/catalog/index.ts'
import type { FixedClock } from '#test/support/fixed-clock.ts'
import { createFixedClock, FIXED_START_MS } from '#test/support/fixed-clock.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'
import { wrappedStore } from '#test/support/recovery/wrapped-store.ts'

const ALL = { budgetBytes: 1_000_000_000, maxPoints: 1_000 }
const T = { schema: 'public', name: 't' }
let db: TestDatabase
let slice: TestRecovery
let clock: FixedClock

beforeEach(async () => {
  db = await createTestDatabase('CREATE TABLE t AS SELECT i AS id, md5(i::text) AS body FROM generate_series(1, 500) i')
  clock = createFixedClock()
  slice = await openTestRecovery(db.database, { clock })
})

afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

async function capturePoints(count: number): Promise<readonly RecoveryPoint[]> {
  const points: RecoveryPoint[] = []
  for (let index = 0; index < count; index += 1) {
    points.push(await slice.recovery.capture(T, 'manual'))
    clock.advance(1_000)
  }
  return points
}

const pathOf = (key: string) => join(slice.folder, 'objects', ...key.split('/'))
const another = (options: Parameters<typeof openTestRecovery>[1]) =>
  openTestRecovery(db.database, { clock, folder: slice.folder, ...options })

async function firstPart(point: RecoveryPoint | undefined): Promise<string> {
  const { manifest } = await slice.recovery.readManifest(point?.snapshotId as SnapshotId)
  return pathOf(manifest.parts[0]?.key ?? '')
}

async function statuses(points: readonly RecoveryPoint[]): Promise<readonly unknown[]> {
  return await Promise.all(points.map(async (point) => (await slice.recovery.find(point.snapshotId))?.status))
}

test('every point is read, and the bytes are counted', async () => {
  const points = await capturePoints(3)
  const report = await slice.recovery.verifyPoints(ALL)
  expect(report).toMatchObject({ checked: 3, corrupt: [], skipped: [] })
  expect(report.bytes).toBeGreaterThan(points.reduce((sum, point) => sum + point.sizeBytes, 0))
})

test('a run that has nothing to look at says so', async () => {
  const skipped = [{ subject: 'recovery points', reason: 'there is none to check' }]
  expect(await slice.recovery.verifyPoints(ALL)).toEqual({
    checked: 0,
    corrupt: [],
    skipped,
    unread: 0,
    bytes: 0,
    sets: { checked: 0, corrupt: [] },
    strays: [],
  })
})

test.for(['flipped part', 'truncated part', 'missing part', 'flipped manifest', 'missing manifest'])(
  'a %s sets that point aside and no other',
  async (damage) => {
    const points = await capturePoints(3)
    const path = damage.endsWith('part') ? await firstPart(points[1]) : pathOf(points[1]?.manifestKey ?? '')
    const content = readFileSync(path)
    if (damage.startsWith('missing')) rmSync(path)
    else if (damage.startsWith('truncated')) writeFileSync(path, content.subarray(0, content.length - 1))
    else writeFileSync(path, content.fill((content[100] ?? 0) ^ 1, 100, 101))
    const report = await slice.recovery.verifyPoints(ALL)
    expect(report.checked).toBe(3)
    expect(report.corrupt).toMatchObject([{ snapshotId: points[1]?.snapshotId, relation: T }])
    expect(await statuses(points)).toEqual(['valid', 'quarantined', 'valid'])
    expect(await slice.recovery.verifyPoints(ALL)).toMatchObject({ checked: 2, corrupt: [] })
  },
)

test('storage that is out of reach is skipped with its reason and sets nothing aside', async () => {
  const points = await capturePoints(5)
  const failing = () => Promise.reject(new BackstopError('STORAGE_UNREACHABLE', 'the disk is gone'))
  const cut = await another({ wrapObjects: (objects) => wrappedStore(objects, { read: failing }) })
  const report = await cut.recovery.verifyPoints(ALL)
  expect(report).toMatchObject({ checked: 0, corrupt: [], unread: 3 })
  expect(report.skipped).toHaveLength(3)
  expect(report.skipped[0]?.reason).toBe('the disk is gone')
  expect(await statuses(points)).toEqual(['valid', 'valid', 'valid', 'valid', 'valid'])
  await cut.close()
})

test('a storage that is empty altogether is another place, and proves nothing about the points', async () => {
  const points = await capturePoints(2)
  const empty = await openTestRecovery(db.database, { clock })
  const elsewhere = await another({ wrapObjects: () => empty.objects })
  const report = await elsewhere.recovery.verifyPoints(ALL)
  expect(report).toMatchObject({
    checked: 0,
    corrupt: [],
    skipped: [{ reason: expect.stringMatching(/not mounted/) }, { reason: expect.stringMatching(/not mounted/) }],
  })
  expect(await statuses(points)).toEqual(['valid', 'valid'])
  await elsewhere.close()
  await empty.close()
})

test('one bad reading of a sound part is read again before anything is said', async () => {
  const points = await capturePoints(1)
  let readings = 0
  const flaky = await another({
    wrapObjects: (objects) =>
      wrappedStore(objects, {
        readStream: async function* (key) {
          readings += 1
          const content = await objects.read(key)
          yield readings === 1 ? content.subarray(1) : content
        },
      }),
  })
  expect(await flaky.recovery.verifyPoints(ALL)).toMatchObject({ checked: 1, corrupt: [] })
  expect(readings).toBe(2)
  expect(await statuses(points)).toEqual(['valid'])
  await flaky.close()
})

test('the budget ends a run, and the next one goes on with what was checked longest ago', async () => {
  const points = await capturePoints(4)
  const seen: string[] = []
  const watched = await another({
    wrapObjects: (objects) =>
      wrappedStore(objects, {
        readStream: (key, range) => {
          seen.push(key.split('/')[3] ?? '')
          return objects.readStream(key, range)
        },
      }),
  })
  const ids = points.map(({ snapshotId }) => snapshotId)
  const budgetBytes = (points[0]?.sizeBytes ?? 0) * 2 + 20_000
  for (const expected of [ids.slice(0, 2), ids.slice(2), ids.slice(0, 2)]) {
    seen.length = 0
    const report = await watched.recovery.verifyPoints({ budgetBytes, maxPoints: 2 })
    expect(seen.toSorted()).toEqual(expected.toSorted())
    expect(report.checked).toBe(2)
    expect(report.skipped).toMatchObject([{ subject: 'further points' }])
    clock.advance(1_000)
  }
  const small = await watched.recovery.verifyPoints({ budgetBytes: (points[0]?.sizeBytes ?? 0) + 1, maxPoints: 9 })
  expect(small).toMatchObject({
    checked: 1,
    skipped: [{ subject: 'further points', reason: expect.stringMatching(/bytes of the run are used up/) }],
  })
  await watched.close()
})

test('a point larger than the whole budget is skipped by name and keeps no other from its turn', async () => {
  const points = await capturePoints(2)
  const report = await slice.recovery.verifyPoints({ budgetBytes: 10, maxPoints: 10 })
  expect(report).toMatchObject({ checked: 0, corrupt: [], bytes: 0 })
  expect(report.skipped.map(({ subject }) => subject)).toEqual(
    points.map(({ snapshotId }) => `${snapshotId} of public.t`),
  )
  expect(report.skipped[0]?.reason).toMatch(/raise the budget/)
})

test('a stopped run says what it did not get to', async () => {
  await capturePoints(2)
  const report = await slice.recovery.verifyPoints({ ...ALL, signal: AbortSignal.abort() })
  expect(report).toMatchObject({ checked: 0, skipped: [{ reason: 'the time of the run is used up' }] })
})

test('points from a clock that was ahead get their turn as well', async () => {
  await capturePoints(2)
  const back = await another({ clock: createFixedClock(FIXED_START_MS - 86_400_000) })
  expect((await back.recovery.verifyPoints(ALL)).checked).toBe(2)
  expect((await back.recovery.verifyPoints(ALL)).checked).toBe(2)
  await back.close()
})

test('a catalog that is built again has every point checked', async () => {
  await capturePoints(2)
  const fresh = await openTestRecovery(db.database, { clock, wrapObjects: () => slice.objects })
  await fresh.recovery.rebuildCatalog()
  expect((await fresh.recovery.verifyPoints(ALL)).checked).toBe(2)
  await fresh.close()
})

test('a table whose whole folder is gone loses its points, each told, and no other table does', async () => {
  const points = await capturePoints(2)
  await db.run('CREATE TABLE other AS SELECT 1 AS v')
  const other = await slice.recovery.capture({ schema: 'public', name: 'other' }, 'manual')
  rmSync(pathOf('snapshots/public/t'), { recursive: true })
  const report = await slice.recovery.verifyPoints(ALL)
  expect(report.corrupt.map(({ snapshotId }) => snapshotId).toSorted()).toEqual(
    points.map(({ snapshotId }) => snapshotId).toSorted(),
  )
  expect(await statuses([...points, other])).toEqual(['quarantined', 'quarantined', 'valid'])
  expect(await slice.recovery.findNewestValid(T)).toBeUndefined()
})

test('objects that no manifest names are told, and harm nothing', async () => {
  const [point] = await capturePoints(1)
  const stray = `${point?.manifestKey.slice(0, -'manifest.json'.length)}part-99999.parquet`
  await slice.objects.put(stray, Buffer.from('from an attempt that was given up'))
  expect(await slice.recovery.verifyPoints(ALL)).toMatchObject({ checked: 1, corrupt: [], strays: [stray] })
  expect(await statuses([point as RecoveryPoint])).toEqual(['valid'])
})

test('the manifest of another snapshot in the place of its own sets the point aside', async () => {
  const points = await capturePoints(2)
  writeFileSync(pathOf(points[0]?.manifestKey ?? ''), readFileSync(pathOf(points[1]?.manifestKey ?? '')))
  expect((await slice.recovery.verifyPoints(ALL)).corrupt).toMatchObject([{ snapshotId: points[0]?.snapshotId }])
})

test('a point that retention is removing is neither judged corrupt nor set aside', async () => {
  const [first] = await capturePoints(2)
  const catalog = new PointCatalog(slice.records)
  const removing = await another({
    wrapObjects: (objects) =>
      wrappedStore(objects, {
        read: async (key, range) => {
          if (key === first?.manifestKey && (await catalog.retire(first, []))) await objects.delete(key)
          return await objects.read(key, range)
        },
      }),
  })
  const report = await removing.recovery.verifyPoints(ALL)
  expect(report.corrupt).toEqual([])
  expect(report.skipped).toMatchObject([{ reason: 'retention is removing it' }])
  expect((await catalog.find(first?.snapshotId ?? 'snap_'))?.status).toBe('retired')
  await removing.close()
})

test('a set whose list was changed is set aside alone, and its members stay; a damaged member is set aside and takes the set along', async () => {
  await db.run('CREATE TABLE u AS SELECT 1 AS v')
  const selection = { kind: 'tables', tables: [T, { schema: 'public', name: 'u' }] } as const
  const [first, second] = [
    await slice.recovery.sets.capture(selection, 'manual'),
    await slice.recovery.sets.capture(selection, 'manual'),
  ]
  const list = pathOf(first.set.manifestKey)
  const content = readFileSync(list)
  writeFileSync(list, content.fill((content[100] ?? 0) ^ 1, 100, 101))
  const report = await slice.recovery.verifyPoints(ALL)
  expect(report).toMatchObject({ checked: 4, corrupt: [], sets: { checked: 2, corrupt: [{ setId: first.set.setId }] } })
  expect(await statuses([...first.points, ...second.points])).toEqual(['valid', 'valid', 'valid', 'valid'])
  rmSync(await firstPart(second.points[0]))
  const next = await slice.recovery.verifyPoints(ALL)
  expect(next).toMatchObject({ corrupt: [{ snapshotId: second.points[0]?.snapshotId }], sets: { checked: 0 } })
  const { sets } = await slice.recovery.sets.list()
  expect(sets.map(({ status }) => status)).toEqual(['invalid', 'invalid'])
})

test('lists of sets that the storage does not give are skipped, and set nothing aside', async () => {
  const { set } = await slice.recovery.sets.capture({ kind: 'tables', tables: [T] }, 'manual')
  const failing = await another({
    wrapObjects: (objects) =>
      wrappedStore(objects, {
        read: (key, range) =>
          key.startsWith('sets/')
            ? Promise.reject(new BackstopError('STORAGE_UNREACHABLE', 'the disk is gone'))
            : objects.read(key, range),
      }),
  })
  expect(await failing.recovery.verifyPoints(ALL)).toMatchObject({
    sets: { checked: 0, corrupt: [] },
    skipped: [{ subject: set.setId, reason: 'the disk is gone' }],
  })
  expect((await slice.recovery.sets.list()).sets.map(({ status }) => status)).toEqual(['valid'])
  await failing.close()
})
