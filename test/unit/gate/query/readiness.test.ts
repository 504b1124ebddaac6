/** When a recovery point is fresh enough for a statement that may destroy. */
import { expect, test } from 'vitest'
import { ensureReady } from '#lib/gate/query/readiness.ts'
import type { Instant } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import { pointOf } from '#test/support/recovery/point.ts'

const TAKEN = pointOf('taken', '2027-01-15T08:00:00.000Z')
const PLAN = { required: true, maxAgeSeconds: 300, verifyObjects: false, readyTables: [TAKEN.relation] }

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
