import { expect, test } from 'vitest'
import type { Instant, SnapshotId } from '#lib/kernel/index.ts'
import { epochMsOf } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { buildOrder, judgeHealth } from '#lib/recovery/round/index.ts'

const NOW = epochMsOf('2027-01-15T08:00:00.000Z' as Instant)
const USERS = { relation: { schema: 'public', name: 'users' }, oid: 10 }
const POLICY = { allowedTables: [], minimumAgeMs: 150_000 }
const BASIS = 'snap_1' as SnapshotId
const keyOf = (...given: Parameters<typeof buildOrder>) => buildOrder(...given).dedupeKey

test('the same need within one period has one key', () => {
  const key = keyOf(USERS, 'changed', BASIS, POLICY, NOW)
  expect(key).toMatch(/^capture-[0-9a-f]{32}$/)
  expect(keyOf(USERS, 'new-table', BASIS, POLICY, NOW + 149_000)).toBe(key)
})

test('another table, another basis, damage and another period each have another key', () => {
  const keys = [
    keyOf(USERS, 'changed', BASIS, POLICY, NOW),
    keyOf({ ...USERS, oid: 11 }, 'changed', BASIS, POLICY, NOW),
    keyOf({ ...USERS, relation: { schema: 'publi', name: 'cusers' } }, 'changed', BASIS, POLICY, NOW),
    keyOf(USERS, 'changed', 'snap_2' as SnapshotId, POLICY, NOW),
    keyOf(USERS, 'no-point', undefined, POLICY, NOW),
    keyOf(USERS, 'damaged', BASIS, POLICY, NOW),
    keyOf(USERS, 'changed', BASIS, POLICY, NOW + 150_000),
  ]
  expect(new Set(keys).size).toBe(7)
})

const at = (time: string) => `2027-01-15T${time}.000Z` as Instant
const failure = { code: 'X', reason: 'r', at: at('07:59:00'), times: 1 }

function pointAt(capturedAt: Instant, extra: Partial<RecoveryPoint> = {}) {
  const point: RecoveryPoint = {
    snapshotId: BASIS,
    relation: USERS.relation,
    relationOid: 10,
    status: 'valid',
    origin: 'manual',
    capturedAt,
    rowCount: 1,
    sizeBytes: 1,
    manifestKey: 'k',
    manifestSha256: 'd',
    ...extra,
  }
  return new Map([['"public"."users"', { point, stateMark: null }]])
}

const judge = (state: object, points = new Map(), policy: Parameters<typeof judgeHealth>[3] = POLICY) =>
  judgeHealth([USERS], points, new Map([['"public"."users"', { relation: USERS.relation, ...state }]]), policy, NOW)

test('a failure stands until a younger valid point of the same table covers it', () => {
  const failing = [{ relation: USERS.relation, code: 'X', reason: 'r', times: 1 }]
  expect(judge({ failure }).failing).toEqual(failing)
  expect(judge({ failure }, pointAt(at('07:58:59'))).failing).toEqual(failing)
  expect(judge({ failure }, pointAt(at('07:59:00'))).failing).toEqual([])
  expect(judge({ failure }, pointAt(at('07:59:30'), { relationOid: 9 })).failing).toEqual(failing)
})

test('a lease that ended without an outcome is a lost capture, a live one is none', () => {
  const lease = (until: string) => ({ lease: { holder: 'h', startedAt: at('07:59:00'), until: at(until) } })
  expect(judge(lease('07:59:59')).failing).toMatchObject([{ code: 'CAPTURE_LOST' }])
  expect(judge(lease('08:00:20')).failing).toEqual([])
  expect(judge(lease('07:59:59'), pointAt(at('07:59:10'))).failing).toEqual([])
  expect(judge(lease('09:00:00')).failing).toMatchObject([{ code: 'CAPTURE_LOST' }])
})

test('a table outside the allow-list, and one that is no more, are in no trouble', () => {
  expect(judge({ failure }, new Map(), { ...POLICY, allowedTables: ['orders'] }).failing).toEqual([])
  const states = new Map([['"public"."gone"', { relation: { schema: 'public', name: 'gone' }, failure }]])
  expect(judgeHealth([USERS], new Map(), states, POLICY, NOW)).toEqual({ failing: [], overdue: [] })
})

test('overdue counts from the last confirmation', () => {
  const policy = { ...POLICY, overdueAfterMs: 60_000 }
  expect(judge({}, pointAt(at('07:58:59')), policy).overdue).toEqual([USERS.relation])
  expect(judge({}, pointAt(at('07:59:00')), policy).overdue).toEqual([])
  expect(judge({}, pointAt(at('06:00:00'), { confirmedAt: at('07:59:30') }), policy).overdue).toEqual([])
  expect(judge({}, pointAt(at('06:00:00'))).overdue).toEqual([])
})
