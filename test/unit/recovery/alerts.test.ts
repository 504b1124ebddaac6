import { expect, test } from 'vitest'
import type { SnapshotId } from '#lib/kernel/index.ts'
import type { StoredDrill } from '#lib/recovery/index.ts'
import { captureFailedAlert, checkAlerts, drillAlerts, roundAlerts, verifyAlerts } from '#lib/recovery/index.ts'
import { pointOf } from '#test/support/recovery/point.ts'

const ORDERS = { schema: 'public', name: 'orders' }
const CLEAN = {
  checked: 3,
  corrupt: [],
  skipped: [],
  unread: 0,
  bytes: 10,
  sets: { checked: 0, corrupt: [] },
  strays: [],
}

test('a failed capture names the table and what the code wants done', () => {
  expect(captureFailedAlert({ relation: ORDERS, code: 'TABLE_UNREADABLE', reason: 'r' })).toMatchObject({
    eventType: 'snapshot_capture_failed',
    recommendedAction: expect.stringContaining('GRANT SELECT'),
    facts: { table: 'public.orders', code: 'TABLE_UNREADABLE' },
    dedupeKey: 'capture:public.orders',
  })
  expect(captureFailedAlert({ relation: ORDERS, code: 'SQLSTATE_53100', reason: 'r' }).recommendedAction).toMatch(
    /mended\.$/,
  )
})

test('a round tells of every table that fails, every point set aside and every table that is overdue', () => {
  const failing = [{ relation: ORDERS, code: 'CAPTURE_LOST', reason: 'r' }]
  const quarantined = [{ snapshotId: 'snap_1' as SnapshotId, relation: ORDERS, reason: 'r' }]
  const alerts = roundAlerts({ failing, quarantined, overdue: [ORDERS] })
  expect(alerts.map(({ eventType }) => eventType)).toEqual([
    'snapshot_capture_failed',
    'snapshot_quarantined',
    'snapshot_stale',
  ])
  expect(roundAlerts({ failing: [], quarantined: [], overdue: [] })).toEqual([])
})

test('each corrupt point is an alert of its own', () => {
  const corrupt = ['snap_1', 'snap_2'].map((id) => ({ snapshotId: id as SnapshotId, relation: ORDERS, reason: 'r' }))
  expect(verifyAlerts({ ...CLEAN, corrupt }).map(({ dedupeKey }) => dedupeKey)).toEqual([
    'corrupt:snap_1',
    'corrupt:snap_2',
  ])
})

test('a point that is offered again ends the incident of its corruption, and one that is only looked at tells nothing', () => {
  const point = pointOf('1', '2027-01-15T07:00:00.000Z')
  const whole = { kind: 'whole', strays: [] } as const
  expect(checkAlerts({ point, verdict: whole, change: 'reinstated', bytes: 1 })).toMatchObject([
    { eventType: 'snapshot_reinstated', incidentKey: `corrupt:${point.snapshotId}`, state: 'resolved' },
  ])
  expect(checkAlerts({ point, verdict: whole, change: 'none', bytes: 1 })).toEqual([])
  const corrupt = { kind: 'corrupt', reason: 'flipped' } as const
  expect(checkAlerts({ point, verdict: corrupt, change: 'none', bytes: 1 })).toEqual([])
  expect(checkAlerts({ point, verdict: corrupt, change: 'set-aside', bytes: 1 })).toMatchObject([
    { eventType: 'snapshot_quarantined', dedupeKey: `corrupt:${point.snapshotId}`, facts: { reason: 'flipped' } },
  ])
})

test('a set whose list is corrupt is an alert of its own', () => {
  const sets = { checked: 2, corrupt: [{ setId: 'set_1' as const, reason: 'r' }] }
  expect(verifyAlerts({ ...CLEAN, sets })).toMatchObject([{ eventType: 'set_quarantined', dedupeKey: 'corrupt:set_1' }])
})

test('a check that could read nothing is an alert, one that had nothing to do is none', () => {
  const skipped = [{ subject: 's', reason: 'the disk is gone' }]
  expect(verifyAlerts(CLEAN)).toEqual([])
  expect(verifyAlerts({ ...CLEAN, checked: 0, skipped })).toEqual([])
  expect(verifyAlerts({ ...CLEAN, checked: 0, skipped, unread: 1 })).toMatchObject([
    { eventType: 'snapshots_unchecked', facts: { reason: 'the disk is gone' } },
  ])
})

function drill(result: 'ok' | 'failed' | 'skipped', code: string | null): StoredDrill {
  const evidence = { result, drillId: 'drill_1', relation: ORDERS, skipped: [], failure: code && { code, reason: 'r' } }
  return { evidence, key: 'drills/d/drill_1.json', sha256: '' } as unknown as StoredDrill
}

test('a failed drill is critical, one that proved nothing a warning, a good one silent', () => {
  expect(drillAlerts(drill('ok', null))).toEqual([])
  expect(drillAlerts(drill('failed', 'DRILL_MISMATCH'))).toMatchObject([
    {
      severity: 'critical',
      eventType: 'drill_failed',
      recommendedAction: expect.stringContaining('drills/d/drill_1.json'),
    },
  ])
  expect(drillAlerts(drill('skipped', null))).toMatchObject([{ severity: 'warning', eventType: 'drill_skipped' }])
})
