/** When a recovery point is fresh enough for a statement that may destroy. */
import { expect, test } from 'vitest'
import { ensureReady } from '#lib/gate/query/readiness.ts'
import type { Instant } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import { pointOf } from '#test/support/recovery/point.ts'

const TAKEN = pointOf('taken', '2027-01-15T08:00:00.000Z')
const PLAN = {
  required: true,
  maxAgeSeconds: 300,
  verifyObjects: false,
  readyTables: [TAKEN.relation],
  readyGroups: [],
}

async function idsFor(newest: RecoveryPoint | undefined): Promise<readonly string[]> {
  const unused = () => Promise.reject(new Error('not asked for'))
  const readiness = await ensureReady(
    {
      clock: createFixedClock(),
      observer: { noteReadiness: () => {}, noteRecoveryVerification: () => {} } as never,
      recovery: {
        findNewestValid: async () => newest,
        capture: async () => TAKEN,
        captureWithin: unused,
        findNewestValidSet: unused,
        captureSet: unused,
        findHeartbeat: unused,
      },
    },
    PLAN as never,
  )
  return readiness.ok ? readiness.points.map(({ snapshotId }) => snapshotId) : ['refused']
}

test.for<readonly [string, RecoveryPoint | undefined, string]>([
  ['young enough', pointOf('1', '2027-01-15T07:56:00.000Z'), 'snap_1'],
  ['too old', pointOf('1', '2027-01-15T07:50:00.000Z'), 'snap_taken'],
  ['none', undefined, 'snap_taken'],
  ['old and confirmed', pointOf('1', '2027-01-15T07:00:00.000Z', { confirmedAt: TAKEN.capturedAt }), 'snap_1'],
  ['a little ahead', pointOf('1', '2027-01-15T08:00:30.000Z'), 'snap_1'],
  ['dated a day ahead', pointOf('1', '2027-01-16T08:00:00.000Z'), 'snap_taken'],
  [
    'old, and confirmed a day ahead',
    pointOf('1', '2027-01-15T07:00:00.000Z', { confirmedAt: '2027-01-16T08:00:00.000Z' as Instant }),
    'snap_taken',
  ],
])('a point that is %s', async ([, newest, expected]) => {
  expect(await idsFor(newest)).toEqual([expected])
})

const OTHER = pointOf('other', '2027-01-15T08:00:00.000Z', { relation: { schema: 'public', name: 'other' } })
const GROUP = [TAKEN.relation, OTHER.relation]

async function groupFor(
  newest: readonly RecoveryPoint[] | undefined,
  captured: () => Promise<readonly RecoveryPoint[]>,
) {
  const unused = () => Promise.reject(new Error('not asked for'))
  const noted: unknown[] = []
  const readiness = await ensureReady(
    {
      clock: createFixedClock(),
      observer: { noteReadiness: (...all: unknown[]) => noted.push(all), noteRecoveryVerification: () => {} } as never,
      recovery: {
        findNewestValid: unused,
        capture: unused,
        captureWithin: unused,
        findNewestValidSet: async () => newest,
        captureSet: captured,
        findHeartbeat: unused,
      },
    },
    { ...PLAN, readyTables: GROUP, readyGroups: [GROUP] } as never,
  )
  return { readiness, noted }
}

test('a group is ready by one fresh set, and only by one whose every member is fresh', async () => {
  const old = pointOf('1', '2027-01-15T07:50:00.000Z')
  const young = pointOf('2', '2027-01-15T07:59:00.000Z')
  const capture = async () => [TAKEN, OTHER]
  expect((await groupFor([young, young], capture)).readiness).toEqual({ ok: true, points: [young, young] })
  expect((await groupFor([young, old], capture)).readiness).toEqual({ ok: true, points: [TAKEN, OTHER] })
  expect((await groupFor(undefined, capture)).readiness).toEqual({ ok: true, points: [TAKEN, OTHER] })
})

test('a group of which one member cannot be captured is not ready, and counted as that', async () => {
  const failing = () => Promise.reject(new BackstopError('TABLE_MISSING', 'there is no table public.other'))
  const { readiness, noted } = await groupFor(undefined, failing)
  expect(readiness).toMatchObject({ ok: false, reason: expect.stringContaining('public.other') })
  expect(noted).toEqual([[false, 'group']])
})
