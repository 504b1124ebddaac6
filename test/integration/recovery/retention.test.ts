/** Runs of retention over real stores that refuse, break off, meet each other, and meet people who count on a point. */
import { afterEach, expect, test } from 'vitest'
import type { Instant, SnapshotId } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore, RecoveryPoint } from '#lib/ports/index.ts'
import { scanPoints } from '#lib/recovery/catalog/index.ts'
import type { RetentionPorts, RetentionRequest } from '#lib/recovery/retention/index.ts'
import { addKeep, liftKeep, listKeeps, runRetention, whileInUse } from '#lib/recovery/retention/index.ts'
import type { Vault } from '#test/support/recovery/retention/vault.ts'
import { allPoints, openVault } from '#test/support/recovery/retention/vault.ts'
import { wrappedStore } from '#test/support/recovery/wrapped-store.ts'

const START_MS = Date.parse('2027-01-01T00:00:00.000Z')
const HOUR_MS = 3_600_000
const POLICY = {
  keepLast: 1,
  keepDays: 0,
  keepHourly: 0,
  keepDaily: 0,
  keepWeekly: 0,
  keepMonthly: 0,
  finalDays: 0,
  quarantineDays: 30,
}
const REQUEST: RetentionRequest = { policy: POLICY, findNeeded: async () => [] }

let vault: Vault
afterEach(() => vault.close())

/** Points of one table an hour apart, and two hours of rest after them. */
async function open(count: number, wrap?: (objects: ObjectStore) => ObjectStore): Promise<readonly RecoveryPoint[]> {
  vault = await openVault(START_MS, wrap)
  const points: RecoveryPoint[] = []
  for (let index = 0; index < count; index += 1) {
    points.push(await vault.take('orders'))
    vault.clock.advance(HOUR_MS)
  }
  vault.clock.advance(HOUR_MS)
  return points
}

const run = (request: Partial<RetentionRequest> = {}, ports: RetentionPorts = vault.ports) =>
  runRetention(ports, { ...REQUEST, ...request })
const idsOf = (points: readonly Pick<RecoveryPoint, 'snapshotId'>[]) => points.map(({ snapshotId }) => snapshotId)
const portsWith = (replaced: Partial<ObjectStore>): RetentionPorts => ({
  ...vault.ports,
  objects: wrappedStore(vault.objects, replaced),
})
const keepOf = (point: RecoveryPoint | undefined, kind: 'pin' | 'hold') => ({
  snapshotId: point?.snapshotId as SnapshotId,
  kind,
  reason: 'audit of the year',
  by: 'ada',
  at: '2027-01-01T00:00:00.000Z' as Instant,
})

async function statuses(): Promise<readonly string[]> {
  return (await allPoints(vault)).map(({ status }) => status)
}

/** Whatever happened: a point that is offered is whole. */
async function assertOfferedIsWhole(): Promise<void> {
  for (const point of await allPoints(vault)) {
    if (point.status !== 'valid') continue
    expect(await vault.objects.find(point.manifestKey)).toBeDefined()
    expect(await vault.objects.find(point.manifestKey.replace('manifest.json', 'part-00000.parquet'))).toBeDefined()
  }
}

test('a dry run names what would go and touches nothing; the run then removes exactly that', async () => {
  const points = await open(3)
  const dry = await run({ isDryRun: true })
  expect(dry).toMatchObject({ isDryRun: true, failed: [], skipped: [] })
  expect(idsOf(dry.removed)).toEqual(idsOf([points[0], points[1]] as RecoveryPoint[]))
  expect((await scanPoints(vault.objects)).points).toHaveLength(3)
  const report = await run()
  expect(idsOf(report.removed)).toEqual(idsOf(dry.removed))
  expect(report.removed[0]).toMatchObject({ because: 'not-kept', objectCount: 1, relation: { name: 'orders' } })
  expect(report.kept.map(({ because }) => because)).toEqual([['last-of-table', 'keep-last']])
  expect(idsOf((await scanPoints(vault.objects)).points)).toEqual([points[2]?.snapshotId])
  expect((await scanPoints(vault.objects)).objectCount).toBe(2)
  expect(idsOf(await allPoints(vault))).toEqual([points[2]?.snapshotId])
  expect(await run()).toMatchObject({ removed: [], swept: [], failed: [] })
})

test.for(['manifest', 'part', 'record'])(
  'a run that ends at the %s leaves nothing that looks whole, and the next one finishes',
  async (moment) => {
    await open(3)
    const killed = new Error('the process ends here')
    const work = { isBegun: false }
    const dying: RetentionPorts = {
      ...portsWith({
        delete: async (key) => {
          work.isBegun = true
          if (key.endsWith('manifest.json') === (moment === 'manifest')) throw killed
          await vault.objects.delete(key)
        },
        find: async (key) => (moment === 'manifest' && work.isBegun ? Promise.reject(killed) : vault.objects.find(key)),
      }),
    }
    if (moment === 'record') Object.assign(dying, { objects: vault.objects, catalog: withoutForget() })
    await expect(run({}, dying)).rejects.toThrow('the process ends here')
    await assertOfferedIsWhole()
    expect(await statuses()).toContain('retired')
    vault.clock.advance(HOUR_MS)
    const next = await run()
    expect(next).toMatchObject({ failed: [], removed: [{ because: 'unfinished' }, { because: 'unfinished' }] })
    expect((await scanPoints(vault.objects)).objectCount).toBe(2)
    expect(await statuses()).toEqual(['valid'])

    function withoutForget() {
      return new Proxy(vault.catalog, {
        get: (catalog, name) => {
          if (name === 'forget') return () => Promise.reject(killed)
          const member = catalog[name as keyof typeof catalog] as unknown
          return typeof member === 'function' ? member.bind(catalog) : member
        },
      })
    }
  },
)

test('a storage that refuses to delete is a result: the point is offered as before, the others go', async () => {
  const points = await open(4)
  const locked = points[1]?.manifestKey
  const report = await run(
    {},
    portsWith({
      delete: async (key) => {
        if (key === locked)
          throw new BackstopError('STORAGE_UNREACHABLE', 'the bucket refused DeleteObject (AccessDenied)')
        await vault.objects.delete(key)
      },
    }),
  )
  expect(idsOf(report.removed)).toEqual(idsOf([points[0], points[2]] as RecoveryPoint[]))
  expect(report.failed).toEqual([
    {
      subject: points[1]?.snapshotId,
      code: 'STORAGE_UNREACHABLE',
      reason: 'the bucket refused DeleteObject (AccessDenied)',
    },
  ])
  expect(await statuses()).toEqual(['valid', 'valid'])
  await assertOfferedIsWhole()
})

test('a storage that takes the manifest and refuses the part has taken the point away; a later run clears the rest', async () => {
  const points = await open(2)
  const refusing = portsWith({
    delete: async (key) => {
      if (key.endsWith('.parquet')) throw new BackstopError('STORAGE_UNREACHABLE', 'locked')
      await vault.objects.delete(key)
    },
  })
  expect((await run({}, refusing)).failed).toMatchObject([{ subject: points[0]?.snapshotId }])
  expect(await statuses()).toEqual(['retired', 'valid'])
  expect((await run()).removed).toMatchObject([{ snapshotId: points[0]?.snapshotId, objectCount: 1 }])
})

test('a storage that says it removed and did not is found out', async () => {
  await open(2)
  const lying = portsWith({
    delete: async (key) => void (key.endsWith('.parquet') || (await vault.objects.delete(key))),
  })
  const report = await run({}, lying)
  expect(report.failed).toMatchObject([{ reason: expect.stringMatching(/lists it still/) }])
  expect(report.removed).toEqual([])
})

test('a storage that refuses again and again ends the run', async () => {
  await open(30)
  const refuse = () => Promise.reject(new BackstopError('STORAGE_UNREACHABLE', 'locked'))
  const report = await run({}, portsWith({ delete: refuse }))
  expect(report.failed.length).toBeLessThan(20)
  expect(report.skipped).toMatchObject([{ subject: expect.stringMatching(/more points to remove/) }])
  expect(await statuses()).toEqual(Array.from({ length: 30 }, () => 'valid'))
})

test('another storage than the catalog is about is left alone', async () => {
  await open(3)
  const elsewhere = await openVault(START_MS)
  await elsewhere.take('other')
  const report = await run({}, { ...vault.ports, objects: elsewhere.objects })
  expect(report).toMatchObject({ removed: [], skipped: [{ reason: expect.stringMatching(/another location/) }] })
  expect(await statuses()).toEqual(['valid', 'valid', 'valid'])
  await elsewhere.close()
})

test('two runs at once: one removes, the other says so', async () => {
  await open(5)
  const reports = await Promise.all([run(), run()])
  expect(reports.map(({ removed }) => removed.length).toSorted()).toEqual([0, 4])
  expect(reports.flatMap(({ skipped }) => skipped)).toEqual([
    { subject: 'every removal', reason: 'another run of retention is at it' },
  ])
})

test('a pin and a legal hold keep a point, each until its own command lifts it', async () => {
  const [first, second] = await open(3)
  const { catalog, records } = vault
  await addKeep(catalog, records, keepOf(first, 'pin'))
  await addKeep(catalog, records, keepOf(first, 'pin'))
  await addKeep(catalog, records, keepOf(second, 'hold'))
  await expect(addKeep(catalog, records, keepOf(second, 'hold'))).rejects.toMatchObject({ code: 'SNAPSHOT_HELD' })
  await expect(liftKeep(records, second?.snapshotId as SnapshotId, 'pin')).rejects.toMatchObject({
    code: 'SNAPSHOT_NOT_KEPT',
  })
  expect((await run()).removed).toEqual([])
  expect((await listKeeps(records)).map(({ kind }) => kind).toSorted()).toEqual(['hold', 'pin'])
  await liftKeep(records, first?.snapshotId as SnapshotId, 'pin')
  await liftKeep(records, second?.snapshotId as SnapshotId, 'hold')
  expect(idsOf((await run()).removed)).toEqual(idsOf([first, second] as RecoveryPoint[]))
  await expect(addKeep(catalog, records, keepOf(first, 'pin'))).rejects.toMatchObject({ code: 'SNAPSHOT_MISSING' })
})

test('a pin that comes between plan and removal wins, and after the removal began it is refused', async () => {
  const [first, second] = await open(3)
  const { catalog, records } = vault
  const late = {
    ...REQUEST,
    // Asked after pins were listed: the moment between plan and removal.
    findNeeded: async () => {
      await addKeep(catalog, records, keepOf(first, 'pin'))
      await catalog.retire(second as RecoveryPoint, [])
      return []
    },
  }
  const report = await run(late)
  expect(report.removed).toEqual([])
  expect(report.skipped.map(({ subject }) => subject).toSorted()).toEqual(
    idsOf([first, second] as RecoveryPoint[]).toSorted(),
  )
  await expect(addKeep(catalog, records, keepOf(second, 'pin'))).rejects.toMatchObject({ code: 'SNAPSHOT_RETIRED' })
})

test('what an approval counts on stays, also when its removal had begun', async () => {
  const [first] = await open(2)
  await vault.catalog.retire(first as RecoveryPoint, [])
  const report = await run({ findNeeded: async () => [first?.snapshotId ?? ''] })
  expect(report.removed).toEqual([])
  expect(await statuses()).toEqual(['valid', 'valid'])
})

test('a point that is being restored stays until that is over', async () => {
  const [first] = await open(2)
  await whileInUse(vault.ports, first?.snapshotId as SnapshotId, async () => {
    expect((await run()).kept.map(({ because }) => because)).toContainEqual(['in-use'])
  })
  expect((await run()).removed).toHaveLength(1)
})

test('the members of a set go together, and the set before them', async () => {
  vault = await openVault(START_MS)
  const set = { setId: `set_${'1'.repeat(32)}` }
  const members = [await vault.take('a', set), await vault.take('b', set)]
  vault.clock.advance(HOUR_MS)
  await vault.take('a')
  vault.clock.advance(2 * HOUR_MS)
  expect((await run()).removed).toEqual([])
  await vault.take('b')
  vault.clock.advance(2 * HOUR_MS)
  const failing = {
    ...vault.ports,
    removeSet: () => Promise.reject(new BackstopError('STORAGE_UNREACHABLE', 'locked')),
  }
  expect(await run({}, failing)).toMatchObject({ removed: [], failed: [{ subject: set.setId }] })
  expect(await statuses()).toEqual(['valid', 'valid', 'valid', 'valid'])
  expect(idsOf((await run()).removed).toSorted()).toEqual(idsOf(members).toSorted())
  expect(vault.forgottenSets).toEqual([set.setId])
})

test('parts that a killed capture left are cleared when no capture can be at it any more', async () => {
  await open(1)
  const folder = `snapshots/public/orders/snap_${'0'.repeat(32)}/`
  await vault.objects.put(`${folder}part-00000.parquet`, Buffer.from('half'))
  const written = await vault.objects.find(`${folder}part-00000.parquet`)
  const dated = (ms: number): RetentionPorts => ({ ...vault.ports, clock: { ...vault.clock, nowMs: () => ms } })
  const writtenMs = written?.modifiedAtMs ?? 0
  const trusted = { isClockTrusted: true }
  expect((await run(trusted, dated(writtenMs + 47 * HOUR_MS))).swept).toEqual([])
  const swept = [{ prefix: folder, objectCount: 1, sizeBytes: 4 }]
  expect((await run({ ...trusted, isDryRun: true }, dated(writtenMs + 49 * HOUR_MS))).swept).toEqual(swept)
  expect((await run(trusted, dated(writtenMs + 49 * HOUR_MS))).swept).toEqual(swept)
  expect((await scanPoints(vault.objects)).objectCount).toBe(2)
})

test('a snapshot that the catalog does not know, and a name of no capture, stay and are named', async () => {
  const points = await open(2)
  await vault.catalog.retire(points[0] as RecoveryPoint, [])
  await vault.catalog.forget(points[0]?.snapshotId as SnapshotId)
  await vault.objects.put('snapshots/public/orders/notes/readme.txt', Buffer.from('mine'))
  const report = await run({ isClockTrusted: true })
  expect(report.swept).toEqual([])
  expect(report.skipped.map(({ subject }) => subject)).toEqual([
    'snapshots/public/orders/notes/',
    '1 snapshots in the storage',
  ])
  expect((await scanPoints(vault.objects)).points).toHaveLength(2)
})

test('a clock that jumps a year ahead removes nothing until it has gone on from there for a day', async () => {
  await open(3)
  const before = vault.clock.nowMs()
  await run({ policy: { ...POLICY, keepDays: 30 } })
  const ahead: RetentionPorts = { ...vault.ports, clock: { ...vault.clock, nowMs: () => before + 366 * 24 * HOUR_MS } }
  const report = await run({ policy: { ...POLICY, keepDays: 30 } }, ahead)
  expect(report).toMatchObject({ removed: [], skipped: [{ subject: 'every removal' }] })
  expect(
    (await run({ policy: { ...POLICY, keepDays: 30 }, isDryRun: true, isClockTrusted: true }, ahead)).removed,
  ).toHaveLength(2)
  expect(await statuses()).toEqual(['valid', 'valid', 'valid'])
  expect((await run()).removed).toHaveLength(2)
})

test('a run that is stopped says what is left, and the next one goes on', async () => {
  await open(4)
  const report = await run({ signal: AbortSignal.abort() })
  expect(report.skipped).toEqual([
    { subject: '3 more points to remove', reason: 'the time of the run is used up; the next one goes on' },
  ])
  expect((await run()).removed).toHaveLength(3)
})
