/** What retention keeps of a table, and why. */
import { expect, test } from 'vitest'
import type { Instant } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { RetentionFacts, RetentionPolicy } from '#lib/recovery/retention/index.ts'
import { planRetention } from '#lib/recovery/retention/index.ts'
import { pointOf } from '#test/support/recovery/point.ts'

const NOW_MS = Date.parse('2027-03-10T12:30:00.000Z') // a Wednesday
const NONE: RetentionPolicy = {
  keepLast: 0,
  keepDays: 0,
  keepHourly: 0,
  keepDaily: 0,
  keepWeekly: 0,
  keepMonthly: 0,
  finalDays: 30,
  quarantineDays: 30,
}
const ONE = { ...NONE, keepLast: 1 }
const OTHER = { schema: 'public', name: 'other' }
const at = (text: string) => text as Instant

function factsOf(points: readonly RecoveryPoint[], wanted: Partial<RetentionFacts> = {}): RetentionFacts {
  const nobody = new Set<string>()
  return { points, pinned: nobody, held: nobody, needed: nobody, inUse: nobody, ...wanted }
}

function reasons(points: readonly RecoveryPoint[], policy: RetentionPolicy, wanted: Partial<RetentionFacts> = {}) {
  const { keep, remove } = planRetention(factsOf(points, wanted), policy, NOW_MS)
  return Object.fromEntries([
    ...keep.map(({ point, because }) => [point.snapshotId.slice(5), because.join(' ')]),
    ...remove.map(({ point, because }) => [point.snapshotId.slice(5), `remove: ${because}`]),
  ])
}

test('of each hour the newest point stays, counted back from the present hour', () => {
  const points = [
    pointOf('a', '2027-03-10T11:10:00.000Z'),
    pointOf('b', '2027-03-10T11:20:00.000Z'),
    pointOf('c', '2027-03-10T10:59:59.999Z'),
    pointOf('d', '2027-03-10T10:00:00.000Z'),
    pointOf('e', '2027-03-10T09:59:59.999Z'),
  ]
  expect(reasons(points, { ...NONE, keepHourly: 3 })).toEqual({
    a: 'remove: not-kept',
    b: 'last-of-table hourly',
    c: 'hourly',
    d: 'remove: not-kept',
    e: 'remove: not-kept',
  })
})

test('days, weeks from Monday and months are those of UTC', () => {
  const points = [
    pointOf('wed', '2027-03-10T00:00:00.000Z'),
    pointOf('tue', '2027-03-09T23:59:59.999Z'),
    pointOf('mon', '2027-03-08T00:00:00.000Z'),
    pointOf('sun', '2027-03-07T23:59:59.999Z'),
    pointOf('feb', '2027-02-28T23:59:59.999Z'),
    pointOf('jan', '2027-01-31T00:00:00.000Z'),
  ]
  expect(reasons(points, { ...NONE, keepDaily: 2, keepWeekly: 2, keepMonthly: 2 })).toEqual({
    wed: 'last-of-table daily weekly monthly',
    tue: 'daily',
    mon: 'remove: not-kept',
    sun: 'weekly',
    feb: 'monthly',
    jan: 'remove: not-kept',
  })
})

test('a point that was confirmed stands for all the time until its last confirmation', () => {
  const points = [
    pointOf('new', '2027-03-10T01:00:00.000Z'),
    pointOf('quiet', '2027-01-02T00:00:00.000Z', { confirmedAt: at('2027-03-09T05:00:00.000Z') }),
    pointOf('old', '2027-01-01T00:00:00.000Z'),
  ]
  expect(reasons(points, { ...NONE, keepDaily: 3 })).toEqual({
    new: 'last-of-table daily',
    quiet: 'daily',
    old: 'remove: not-kept',
  })
  expect(reasons(points, { ...NONE, keepDays: 2 })).toMatchObject({ quiet: 'keep-days', old: 'remove: not-kept' })
})

test('the last sound point of a table stays whatever its age, and when all that are newer were set aside', () => {
  const aside = { status: 'quarantined', quarantinedAt: at('2026-01-01T00:00:00.000Z') } as const
  const points = [
    pointOf('bad', '2026-06-01T00:00:00.000Z', aside),
    pointOf('good', '2025-01-01T00:00:00.000Z'),
    pointOf('older', '2024-12-31T00:00:00.000Z'),
    pointOf('only-bad', '2024-01-01T00:00:00.000Z', { ...aside, relation: OTHER }),
    pointOf('bad-too', '2023-01-01T00:00:00.000Z', { ...aside, relation: OTHER }),
  ]
  expect(reasons(points, ONE)).toEqual({
    bad: 'remove: quarantine-over',
    good: 'last-of-table keep-last',
    older: 'remove: not-kept',
    'only-bad': 'last-of-table',
    'bad-too': 'remove: quarantine-over',
  })
})

test('what was set aside is kept as long as it may be investigated, counted from then', () => {
  const aside = (since: string) => ({ status: 'quarantined', quarantinedAt: at(since) }) as const
  const points = [
    pointOf('good', '2027-03-10T12:00:00.000Z'),
    pointOf('young', '2026-01-01T00:00:00.000Z', aside('2027-02-20T00:00:00.000Z')),
    pointOf('over', '2026-01-02T00:00:00.000Z', aside('2027-02-01T00:00:00.000Z')),
  ]
  expect(reasons(points, ONE)).toMatchObject({ young: 'quarantined', over: 'remove: quarantine-over' })
  expect(reasons(points, { ...ONE, quarantineDays: 0 })).toMatchObject({ young: 'quarantined', over: 'quarantined' })
})

test('a point that is dated ahead is neither removed nor counted as the newest', () => {
  const points = [pointOf('ahead', '2027-03-11T00:00:00.000Z'), pointOf('true', '2027-03-01T00:00:00.000Z')]
  expect(reasons(points, ONE)).toEqual({ ahead: 'age-unknown', true: 'last-of-table keep-last' })
})

test('pins, legal holds, approvals and restores keep what nothing else does', () => {
  const ids = ['pin', 'hold', 'need', 'use', 'none']
  const points = [
    pointOf('new', '2027-03-09T00:00:00.000Z'),
    ...ids.map((id, day) => pointOf(id, `2027-01-0${day + 1}T00:00:00.000Z`)),
  ]
  const only = (id: string) => new Set([`snap_${id}`])
  const wanted = { pinned: only('pin'), held: only('hold'), needed: only('need'), inUse: only('use') }
  expect(reasons(points, ONE, wanted)).toEqual({
    new: 'last-of-table keep-last',
    pin: 'pinned',
    hold: 'legal-hold',
    need: 'approval',
    use: 'in-use',
    none: 'remove: not-kept',
  })
})

test('a set stays while one of its members stays, and goes as a whole', () => {
  const inSet = (id: string, day: string, setId: string, relation = OTHER) =>
    pointOf(id, `2027-01-${day}T00:00:00.000Z`, { setId, relation })
  const orders = { schema: 'public', name: 'orders' }
  const points = [
    inSet('o1', '01', 'set_1', orders),
    inSet('x1', '01', 'set_1'),
    inSet('o2', '02', 'set_2', orders),
    inSet('x2', '02', 'set_2'),
    pointOf('o3', '2027-01-03T00:00:00.000Z'),
    pointOf('x0', '2026-12-31T00:00:00.000Z', { setId: 'set_2', relation: OTHER, status: 'quarantined' }),
  ]
  expect(reasons(points, ONE)).toEqual({
    o1: 'remove: not-kept',
    x1: 'remove: not-kept',
    o2: 'set',
    x2: 'last-of-table keep-last',
    o3: 'last-of-table keep-last',
    x0: 'set',
  })
})

test('final snapshots, and the last point of a table that was made anew, stay for their days', () => {
  const points = [
    pointOf('now', '2027-03-10T08:00:00.000Z', { relationOid: 2 }),
    pointOf('anew', '2027-03-01T00:00:00.000Z', { relationOid: 2 }),
    pointOf('before', '2027-01-01T00:00:00.000Z', { relationOid: 1 }),
    pointOf('final', '2027-02-20T00:00:00.000Z', { relation: OTHER, origin: 'final' }),
    pointOf('late', '2027-03-09T00:00:00.000Z', { relation: OTHER }),
    pointOf('final-over', '2027-01-20T00:00:00.000Z', { relation: OTHER, origin: 'final' }),
  ]
  expect(reasons(points, ONE)).toEqual({
    now: 'last-of-table keep-last',
    anew: 'remove: not-kept',
    before: 'replaced-table',
    late: 'last-of-table keep-last',
    final: 'final',
    'final-over': 'remove: not-kept',
  })
})

test('what was the newest of its table until a moment ago stays: somebody may have chosen it', () => {
  const points = [pointOf('new', '2027-03-10T12:00:00.000Z'), pointOf('old', '2027-01-01T00:00:00.000Z')]
  expect(reasons(points, ONE)).toEqual({ new: 'last-of-table keep-last recent', old: 'recent' })
})

test('a policy of zeros keeps everything for ever', () => {
  const points = [
    pointOf('a', '2027-01-02T00:00:00.000Z'),
    pointOf('b', '2020-01-01T00:00:00.000Z'),
    pointOf('c', '2020-01-01T00:00:00.000Z', { status: 'quarantined' }),
  ]
  expect(planRetention(factsOf(points), NONE, NOW_MS).remove).toEqual([])
})

test('a removal that was begun is finished, unless somebody has come to count on the point', () => {
  const half = { status: 'retired', retiredFrom: 'valid' } as const
  const points = [pointOf('new', '2027-01-02T00:00:00.000Z'), pointOf('half', '2027-01-01T00:00:00.000Z', half)]
  expect(reasons(points, ONE)).toMatchObject({ half: 'remove: unfinished' })
  expect(reasons(points, NONE)).toMatchObject({ half: 'remove: unfinished' })
  expect(reasons(points, ONE, { needed: new Set(['snap_half']) })).toMatchObject({ half: 'approval' })
})
