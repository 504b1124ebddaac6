/** What holds of every plan of retention, whatever the points, the policy and the time. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Instant, SnapshotId } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { RetentionFacts, RetentionPolicy } from '#lib/recovery/retention/index.ts'
import { planRetention } from '#lib/recovery/retention/index.ts'
import { pointOf } from '#test/support/recovery/point.ts'

const NOW_MS = Date.parse('2027-05-31T23:10:00.000Z')
const SPAN_MINUTES = 200 * 24 * 60
const SKEW_MS = 5_000

const instantBefore = (minutes: number) => new Date(NOW_MS - minutes * 60_000).toISOString() as Instant

/** Close together and far apart, some of them ahead of the clock. */
const minutesAgo = fc.oneof(
  fc.integer({ min: -3_000, max: 200 }),
  fc.integer({ min: 0, max: 5_000 }),
  fc.integer({ min: 0, max: SPAN_MINUTES }),
)

const point = fc.record({
  table: fc.constantFrom('a', 'b', 'c'),
  minutes: minutesAgo,
  confirmedAfter: fc.option(fc.integer({ min: 0, max: 40_000 }), { nil: undefined }),
  status: fc.constantFrom('valid', 'valid', 'valid', 'valid', 'quarantined', 'invalid', 'retired'),
  origin: fc.constantFrom('schedule', 'schedule', 'demand', 'final', 'manual'),
  relationOid: fc.constantFrom(1, 1, 1, 2),
  set: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
})

const points = fc.array(point, { minLength: 1, maxLength: 60 }).map((drawn) =>
  drawn.map(({ table, minutes, confirmedAfter, set, status, ...rest }, index): RecoveryPoint => {
    const isConfirmed = confirmedAfter !== undefined
    return pointOf(String(index).padStart(3, '0'), instantBefore(minutes), {
      ...rest,
      status: status as RecoveryPoint['status'],
      relation: { schema: 'public', name: table },
      ...(status === 'retired' && { retiredFrom: 'valid' as const }),
      ...(isConfirmed && { confirmedAt: instantBefore(minutes - confirmedAfter) }),
      ...(set !== undefined && { setId: `set_${set}` }),
    })
  }),
)

const few = fc.integer({ min: 0, max: 5 })
const policy: fc.Arbitrary<RetentionPolicy> = fc.record({
  keepLast: few,
  keepDays: few,
  keepHourly: few,
  keepDaily: few,
  keepWeekly: few,
  keepMonthly: few,
  finalDays: fc.integer({ min: 0, max: 60 }),
  quarantineDays: fc.integer({ min: 1, max: 60 }),
})

const someOf = (from: readonly RecoveryPoint[], chosen: readonly number[]) =>
  new Set<string>(chosen.map((index) => (from[index % from.length] as RecoveryPoint).snapshotId))

const scene = fc
  .tuple(points, fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 4, maxLength: 4 }))
  .map(([drawn, [pinned = [], held = [], needed = [], inUse = []]]): RetentionFacts => {
    const ids = (chosen: readonly number[]) => someOf(drawn, chosen)
    return { points: drawn, pinned: ids(pinned), held: ids(held), needed: ids(needed), inUse: ids(inUse) }
  })

const keptIds = (facts: RetentionFacts, by: RetentionPolicy, nowMs = NOW_MS) =>
  new Set<string>(planRetention(facts, by, nowMs).keep.map((one) => one.point.snapshotId))
const removedIds = (facts: RetentionFacts, by: RetentionPolicy) =>
  planRetention(facts, by, NOW_MS).remove.map((one) => one.point.snapshotId)
const isSound = ({ status, capturedAt }: RecoveryPoint) =>
  status === 'valid' && Date.parse(capturedAt) <= NOW_MS + SKEW_MS
const sumOf = ({ finalDays: _f, quarantineDays: _q, ...counts }: RetentionPolicy) =>
  Object.values(counts).reduce((sum, one) => sum + one, 0)

const RUNS = { numRuns: 1_000 }

test('every point is decided once, and no removal is without need', () => {
  fc.assert(
    fc.property(scene, policy, (facts, by) => {
      const all = [...keptIds(facts, by), ...removedIds(facts, by)].sort()
      expect(all).toEqual(facts.points.map(({ snapshotId }) => snapshotId).sort())
    }),
    RUNS,
  )
})

test('the newest sound point of every table stays, and so does everything that somebody counts on', () => {
  fc.assert(
    fc.property(scene, policy, (facts, by) => {
      const kept = keptIds(facts, by)
      for (const table of ['a', 'b', 'c']) {
        const sound = facts.points.filter((one) => one.relation.name === table && isSound(one))
        const newest = sound.sort((left, right) => Date.parse(left.capturedAt) - Date.parse(right.capturedAt)).at(-1)
        const sameTime = sound.filter(({ capturedAt }) => capturedAt === newest?.capturedAt)
        if (newest !== undefined) expect(sameTime.some(({ snapshotId }) => kept.has(snapshotId))).toBe(true)
      }
      const { pinned, held, needed, inUse } = facts
      for (const id of [...pinned, ...held, ...needed, ...inUse]) expect(kept.has(id)).toBe(true)
      for (const one of facts.points) {
        if (one.status === 'valid' && !isSound(one)) expect(kept.has(one.snapshotId)).toBe(true)
      }
    }),
    RUNS,
  )
})

test('one more pin, hold, approval or restore never removes more', () => {
  const ways = fc.constantFrom('pinned', 'held', 'needed', 'inUse') as fc.Arbitrary<
    'pinned' | 'held' | 'needed' | 'inUse'
  >
  fc.assert(
    fc.property(scene, policy, ways, fc.nat(), (facts, by, way, index) => {
      const more = { ...facts, [way]: new Set([...facts[way], ...someOf(facts.points, [index])]) }
      const kept = keptIds(more, by)
      for (const id of keptIds(facts, by)) expect(kept.has(id)).toBe(true)
    }),
    RUNS,
  )
})

test('a larger figure keeps all that the smaller one kept', () => {
  const fields = fc.constantFrom<keyof RetentionPolicy>(
    'keepLast',
    'keepDays',
    'keepHourly',
    'keepDaily',
    'keepWeekly',
    'keepMonthly',
    'finalDays',
    'quarantineDays',
  )
  fc.assert(
    fc.property(scene, policy, fields, fc.integer({ min: 1, max: 10 }), (facts, by, field, more) => {
      fc.pre(sumOf(by) > 0)
      const kept = keptIds(facts, { ...by, [field]: by[field] + more })
      for (const id of keptIds(facts, by)) expect(kept.has(id)).toBe(true)
    }),
    RUNS,
  )
})

test('what a plan leaves, the same plan leaves again; and it never leaves a part of a sound set', () => {
  fc.assert(
    fc.property(scene, policy, (facts, by) => {
      const left = planRetention(facts, by, NOW_MS).keep.map((one) => one.point)
      expect(removedIds({ ...facts, points: left }, by)).toEqual([])
      const sets = Map.groupBy(facts.points, ({ setId }) => setId)
      const ids = new Set<SnapshotId>(left.map(({ snapshotId }) => snapshotId))
      for (const [setId, members] of sets) {
        const sound = members.filter(({ status }) => status === 'valid')
        if (setId === undefined || !sound.some(({ snapshotId }) => ids.has(snapshotId))) continue
        expect(members.every(({ snapshotId }) => ids.has(snapshotId))).toBe(true)
      }
    }),
    RUNS,
  )
})

test('a policy of zeros removes nothing but what was begun to be removed', () => {
  const zeros = policy.map((by) => ({
    ...by,
    keepLast: 0,
    keepDays: 0,
    keepHourly: 0,
    keepDaily: 0,
    keepWeekly: 0,
    keepMonthly: 0,
  }))
  fc.assert(
    fc.property(scene, zeros, (facts, by) => {
      const removed = new Set<string>(removedIds(facts, by))
      for (const { snapshotId, status } of facts.points) if (removed.has(snapshotId)) expect(status).toBe('retired')
    }),
    RUNS,
  )
})
