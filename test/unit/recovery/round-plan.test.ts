import { expect, test } from 'vitest'
import type { Instant, SnapshotId } from '#lib/kernel/index.ts'
import { epochMsOf } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { KnownPoint } from '#lib/recovery/round/index.ts'
import { planCaptures } from '#lib/recovery/round/index.ts'

const NOW = epochMsOf('2027-01-15T08:00:00.000Z' as Instant)
const USERS = { relation: { schema: 'public', name: 'users' }, oid: 10 }
const ORDERS = { relation: { schema: 'public', name: 'orders' }, oid: 11 }
const POLICY = { allowedTables: [], minimumAgeMs: 60_000 }

function point(table: typeof USERS, capturedAt: string, extra: Partial<RecoveryPoint> = {}): RecoveryPoint {
  return {
    snapshotId: `snap_${table.oid}` as SnapshotId,
    relation: table.relation,
    relationOid: table.oid,
    status: 'valid',
    origin: 'schedule',
    capturedAt: capturedAt as Instant,
    rowCount: 1,
    sizeBytes: 1,
    manifestKey: 'k',
    manifestSha256: 'd',
    ...extra,
  }
}

const known = (table: typeof USERS, capturedAt: string, stateMark: string | null, extra: Partial<RecoveryPoint> = {}) =>
  new Map<string, KnownPoint>([
    [`"public"."${table.relation.name}"`, { point: point(table, capturedAt, extra), stateMark }],
  ])

test('a table without a point is captured', () => {
  expect(planCaptures([USERS], new Map(), POLICY, 'm', NOW)).toEqual([
    { relation: USERS.relation, action: 'capture', because: 'no-point' },
  ])
})

test('a young point is kept, an old one is compared with its table', () => {
  const plan = (at: string) => planCaptures([USERS], known(USERS, at, 'before'), POLICY, 'now', NOW)[0]
  expect(plan('2027-01-15T07:59:01.000Z')).toMatchObject({ action: 'keep', because: 'fresh' })
  expect(plan('2027-01-15T07:59:00.000Z')).toMatchObject({ action: 'capture', because: 'maybe-changed' })
})

test('a point from the future is not trusted to be fresh', () => {
  const plan = planCaptures([USERS], known(USERS, '2027-01-15T09:00:00.000Z', 'before'), POLICY, 'now', NOW)
  expect(plan[0]).toMatchObject({ action: 'capture' })
})

test('the same state of the cluster confirms a point of any age', () => {
  expect(planCaptures([USERS], known(USERS, '2020-01-01T00:00:00.000Z', 'same'), POLICY, 'same', NOW)[0]).toMatchObject(
    { action: 'confirm' },
  )
})

test('marks that cannot tell never confirm', () => {
  expect(planCaptures([USERS], known(USERS, '2020-01-01T00:00:00.000Z', null), POLICY, null, NOW)[0]).toMatchObject({
    action: 'capture',
  })
})

test('another table under the same name is captured at once', () => {
  const points = known(USERS, '2027-01-15T07:59:59.000Z', 'same', { relationOid: 9 })
  expect(planCaptures([USERS], points, POLICY, 'same', NOW)[0]).toMatchObject({
    action: 'capture',
    because: 'new-table',
  })
})

test('the table whose point is oldest comes first', () => {
  const points = new Map([
    ...known(USERS, '2027-01-15T07:00:00.000Z', 'a'),
    ...known(ORDERS, '2027-01-15T06:00:00.000Z', 'a'),
  ])
  expect(planCaptures([USERS, ORDERS], points, POLICY, 'b', NOW).map(({ relation }) => relation.name)).toEqual([
    'orders',
    'users',
  ])
})

test('a table outside the allow-list is left', () => {
  const policy = { ...POLICY, allowedTables: ['orders'] }
  expect(planCaptures([USERS], new Map(), policy, 'm', NOW)[0]).toMatchObject({
    action: 'keep',
    because: 'not-allowed',
  })
})

const old = '2027-01-15T07:50:00.000Z'
const fromOld = (extra: Partial<KnownPoint>, table: object = {}, policy: object = {}) => {
  const points = new Map<string, KnownPoint>([
    ['"public"."users"', { point: point(USERS, old), stateMark: 'a', ...extra }],
  ])
  return planCaptures([{ ...USERS, ...table }], points, { ...POLICY, ...policy }, 'b', NOW)[0]
}

test('counters that have gone up lead to a copy without a look; any other lead to a comparison', () => {
  expect(fromOld({ counters: '5/0/0' }, { counters: '5/1/0' })).toMatchObject({ because: 'changed' })
  for (const counters of ['5/0/0', '4/0/9', '0/0/0', '//', undefined]) {
    expect(fromOld({ counters: '5/0/0' }, { counters })).toMatchObject({ because: 'maybe-changed' })
  }
  expect(fromOld({}, { counters: '5/0/0' })).toMatchObject({ because: 'maybe-changed' })
})

test('after a failure, and where comparing is switched off, a table is copied', () => {
  expect(fromOld({ isFailing: true })).toMatchObject({ because: 'changed' })
  expect(fromOld({}, {}, { compareBudgetBytes: 0 })).toMatchObject({ because: 'changed' })
})

test('a table that was found equal again and again is compared less often, but never too late, and never when it was written to', () => {
  const latest = { latestAgeMs: 660_000, minimumAgeMs: 400_000 }
  expect(fromOld({ timesEqual: 1 }, {}, latest)).toMatchObject({ because: 'maybe-changed' })
  expect(fromOld({ timesEqual: 4 }, {}, latest)).toMatchObject({ action: 'keep', because: 'fresh' })
  expect(fromOld({ timesEqual: 4 }, {}, { ...latest, latestAgeMs: 600_000 })).toMatchObject({
    because: 'maybe-changed',
  })
  expect(fromOld({ timesEqual: 4 }, {}, { minimumAgeMs: 400_000 })).toMatchObject({ because: 'maybe-changed' })
  expect(fromOld({ timesEqual: 4, counters: '1/0/0' }, { counters: '2/0/0' }, latest)).toMatchObject({
    because: 'changed',
  })
})

test('the budget of a round goes to the oldest, to whom it is not enough too, and to what cannot wait', () => {
  const tables = ['a', 'b', 'c', 'd'].map((name, index) => ({
    relation: { schema: 'public', name },
    oid: index,
    sizeBytes: [500, 30, 80, 10][index] ?? 0,
  }))
  const minutes = [50, 40, 30, 20]
  const points = new Map(
    tables.flatMap((table, index) => [
      ...known(table, new Date(NOW - (minutes[index] ?? 0) * 60_000).toISOString(), 'a'),
    ]),
  )
  const plan = (policy: object) =>
    planCaptures(tables, points, { ...POLICY, ...policy }, 'b', NOW).map(({ relation, action }) => [
      relation.name,
      action,
    ])
  expect(plan({ compareBudgetBytes: 520 })).toEqual([
    ['a', 'capture'],
    ['b', 'keep'],
    ['c', 'keep'],
    ['d', 'capture'],
  ])
  expect(plan({ compareBudgetBytes: 100 }).map(([, action]) => action)).toEqual(['capture', 'keep', 'keep', 'keep'])
  expect(plan({ compareBudgetBytes: 100, latestAgeMs: 40 * 60_000 }).map(([, action]) => action)).toEqual([
    'capture',
    'capture',
    'keep',
    'keep',
  ])
})
