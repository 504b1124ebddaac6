/** Background capture over a whole database. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { displayRelation } from '#lib/kernel/index.ts'
import { eventually } from '#test/support/eventually.ts'
import type { FixedClock } from '#test/support/fixed-clock.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

const EVERY_TABLE = { allowedTables: [], minimumAgeMs: 60_000 }
let db: TestDatabase
let slice: TestRecovery
let clock: FixedClock

beforeEach(async () => {
  db = await createTestDatabase(`CREATE SCHEMA other; CREATE TABLE a (v integer); CREATE TABLE b (v integer);
    CREATE TABLE other.a (v integer); INSERT INTO a VALUES (1);
    CREATE TABLE parted (v integer) PARTITION BY LIST (v); CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1)`)
  clock = createFixedClock()
  slice = await openTestRecovery(db.database, { clock })
})

afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

const names = (points: readonly { relation: { schema: string; name: string } }[]) =>
  points.map(({ relation }) => displayRelation(relation)).sort()

test('the first round captures every table and leaf partition, and beats', async () => {
  expect(await slice.recovery.findHeartbeat()).toBeUndefined()
  const report = await slice.recovery.runRound(EVERY_TABLE)
  expect(names(report.captured)).toEqual(['other.a', 'public.a', 'public.b', 'public.parted_1'])
  expect(report.failed).toEqual([])
  expect(await slice.recovery.findHeartbeat()).toEqual({
    at: '2027-01-15T08:00:00.000Z',
    isHealthy: true,
    detail: '4 captured, 0 unchanged, 0 kept',
  })
})

test('a table that changed is captured again when its point is old enough', async () => {
  await slice.recovery.runRound(EVERY_TABLE)
  await db.run('INSERT INTO a VALUES (2)')
  expect(names((await slice.recovery.runRound(EVERY_TABLE)).captured)).toEqual([])
  clock.advance(60_000)
  const report = await slice.recovery.runRound(EVERY_TABLE)
  expect(names(report.captured)).toContain('public.a')
  expect((await slice.recovery.findNewestValid({ schema: 'public', name: 'a' }))?.rowCount).toBe(2)
})

test('a table that was made anew under its name is captured at once', async () => {
  await slice.recovery.runRound(EVERY_TABLE)
  await db.run('DROP TABLE b; CREATE TABLE b (w text)')
  expect(names((await slice.recovery.runRound(EVERY_TABLE)).captured)).toEqual(['public.b'])
})

test('a table that somebody has to himself keeps no round waiting', async () => {
  const planned = await db.database.withDedicatedSession(async (holder) => {
    await holder.execute('BEGIN; LOCK TABLE a IN ACCESS EXCLUSIVE MODE')
    const plan = await slice.recovery.planRound(EVERY_TABLE)
    await holder.execute('ROLLBACK')
    return plan
  })
  expect(planned.captures.map(({ relation }) => displayRelation(relation)).sort()).toEqual([
    'other.a',
    'public.a',
    'public.b',
    'public.parted_1',
  ])
})

test('an allow-list limits the round', async () => {
  const report = await slice.recovery.runRound({ allowedTables: ['other.a', 'b'], minimumAgeMs: 0 })
  expect(names(report.captured)).toEqual(['other.a', 'public.b'])
})

test('a table that cannot be captured fails alone and shows in the heartbeat', async () => {
  await db.run('CREATE TABLE default_of (v integer DEFAULT 1); CREATE TABLE aa AS SELECT adbin FROM pg_attrdef')
  const report = await slice.recovery.runRound(EVERY_TABLE)
  expect(report.failed).toMatchObject([{ relation: { name: 'aa' }, code: 'COLUMN_TYPE_UNSUPPORTED' }])
  expect(report.captured).toHaveLength(5)
  expect(await slice.recovery.findHeartbeat()).toMatchObject({
    isHealthy: false,
    detail: '5 captured, 0 unchanged, 0 kept, 1 failed: public.aa',
  })
})

test('a database out of reach makes the heartbeat unhealthy', async () => {
  const database = openPostgres({ url: 'postgresql://nobody@127.0.0.1:1/nowhere' })
  const cut = await openTestRecovery(database, { clock })
  await expect(cut.recovery.runRound(EVERY_TABLE)).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' })
  expect(await cut.recovery.findHeartbeat()).toMatchObject({ isHealthy: false })
  await cut.close()
  await database.close()
})

test('while nothing in the cluster changes, points are confirmed instead of copied', async () => {
  // Other tests share the cluster and end transactions of their own: quiet comes, but not at once.
  const report = await eventually(async () => {
    await slice.recovery.runRound({ allowedTables: ['public.a'], minimumAgeMs: 0 })
    clock.advance(1_000)
    const second = await slice.recovery.runRound({ allowedTables: ['public.a'], minimumAgeMs: 0 })
    return second.confirmed.length > 0 ? second : undefined
  })
  expect(report.captured).toEqual([])
  expect(report.confirmed[0]?.confirmedAt).toBeDefined()
  await db.run('UPDATE a SET v = v + 1')
  const after = await slice.recovery.runRound({ allowedTables: ['public.a'], minimumAgeMs: 0 })
  expect(names(after.captured)).toEqual(['public.a'])
})

test('a point that lost a part is set aside instead of confirmed, and its table captured again', async () => {
  const policy = { allowedTables: ['public.a'], minimumAgeMs: 60_000 }
  const report = await eventually(async () => {
    await slice.recovery.runRound(policy)
    const point = await slice.recovery.findNewestValid({ schema: 'public', name: 'a' })
    if (point === undefined) return undefined
    const { manifest } = await slice.recovery.readManifest(point.snapshotId)
    await slice.objects.delete(manifest.parts[0]?.key ?? '')
    const next = await slice.recovery.runRound(policy)
    clock.advance(60_000)
    return next.quarantined.length > 0 ? { next, point } : undefined
  })
  expect(report.next.quarantined).toMatchObject([
    { snapshotId: report.point.snapshotId, reason: expect.stringMatching(/a part is missing/) },
  ])
  expect(names(report.next.captured)).toEqual(['public.a'])
})
