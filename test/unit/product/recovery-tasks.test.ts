import { expect, test } from 'vitest'
import type { Instant, JsonObject } from '#lib/kernel/index.ts'
import { instantFrom } from '#lib/kernel/index.ts'
import type { Parts } from '#lib/product/index.ts'
import { captureTable, drillWhenDue, orderCaptures, verifyPoints, watchSessions } from '#lib/product/index.ts'
import type { CaptureOrder, Recovery, StoredDrill } from '#lib/recovery/index.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'

const HOUR_MS = 3_600_000
const ORDERS = { schema: 'public', name: 'orders' }
const ORDER: CaptureOrder = {
  relation: ORDERS,
  relationOid: 1,
  origin: 'schedule',
  because: 'changed',
  minimumAgeMs: 150_000,
  dedupeKey: 'capture-1',
}

/** Parts with what a task touches; `said` is what was raised, counted and logged, in order. */
function partsWith(recovery: Partial<Recovery>, settings: object = {}) {
  const said: string[] = []
  const clock = createFixedClock()
  const parts = {
    recovery,
    clock,
    settings: {
      snapshotTables: [],
      verifyBudgetMegabytes: 2,
      drillIntervalHours: 24,
      drillMaxMegabytes: 3,
      ...settings,
    },
    policy: { active: () => ({ policy: { max_snapshot_age_seconds: 300 } }) },
    alerts: { raise: async ({ eventType }: { eventType: string }) => void said.push(`alert ${eventType}`) },
    metrics: {
      noteSnapshot: (status: string) => said.push(`snapshot ${status}`),
      noteBypassConnection: (role: string) => said.push(`bypass ${role}`),
      setCaptureHealth: (health: string) => said.push(`health ${health}`),
    },
    log: (_level: string, event: string, facts: JsonObject) => said.push(`log ${event} ${JSON.stringify(facts)}`),
  }
  return { parts: parts as unknown as Parts, said, clock }
}

function drillAt(startedAt: Instant, result = 'ok'): StoredDrill {
  const evidence = { startedAt, result, relation: ORDERS, skipped: [], failure: null, rtoSeconds: 1, rpoSeconds: 2 }
  return { evidence, key: 'k', sha256: '' } as unknown as StoredDrill
}

test.for([
  [undefined, 1],
  [23.9 * HOUR_MS, 0],
  [24 * HOUR_MS, 1],
  [-HOUR_MS, 1],
] as const)('with the last drill %s ms ago there are %s more', async ([agoMs, expected]) => {
  let runs = 0
  const now = createFixedClock().nowMs()
  const { parts } = partsWith({
    listDrills: async () => ({ drills: agoMs === undefined ? [] : [drillAt(instantFrom(now - agoMs))] }),
    runTableDrill: async (request) => {
      runs += 1
      expect(request).toEqual({ maxBytes: 3 * 1_048_576 })
      return drillAt(instantFrom(now))
    },
  })
  await drillWhenDue(parts)
  expect(runs).toBe(expected)
})

test('an interval of 0 switches drills off, and a failed one is told', async () => {
  const failed = drillAt(instantFrom(0), 'failed')
  const recovery = { listDrills: async () => ({ drills: [] }), runTableDrill: async () => failed }
  const off = partsWith(recovery, { drillIntervalHours: 0 })
  await drillWhenDue(off.parts)
  expect(off.said).toEqual([])
  const on = partsWith(recovery)
  await drillWhenDue(on.parts)
  expect(on.said[0]).toBe('alert drill_failed')
})

test('a check reads within the budget and tells of each corrupt point', async () => {
  const corrupt = [{ snapshotId: 'snap_1' as const, relation: ORDERS, reason: 'r' }]
  const { parts, said } = partsWith({
    verifyPoints: async (request) => {
      expect(request).toEqual({ budgetBytes: 2 * 1_048_576, maxPoints: 10_000 })
      return { checked: 1, corrupt, skipped: [], unread: 0, bytes: 5 }
    },
  })
  await verifyPoints(parts)
  expect(said).toEqual([
    'alert snapshot_quarantined',
    'log points_verified {"checked":1,"corrupt":1,"skipped":0,"bytes":5}',
  ])
})

test('the watch asks for the agent role, tells what is news and says what it could not check', async () => {
  const session = { processId: 1, user: 'agent', applicationName: 'psql', address: null, since: null }
  const skipped = [{ subject: 's', reason: 'r' }]
  const alert = {
    severity: 'critical',
    eventType: 'e',
    title: '',
    recommendedAction: '',
    facts: {},
    dedupeKey: '',
  } as const
  const { parts, said } = partsWith(
    {
      runWatch: async ({ agentRoles }) => {
        expect(agentRoles).toEqual(['agent'])
        return {
          sessions: [session],
          loginRoles: [],
          checked: [],
          skipped,
          findings: [],
          news: [alert],
          newlySkipped: skipped,
        }
      },
    },
    { agentRole: 'agent' },
  )
  await watchSessions(parts)
  expect(said).toEqual(['bypass agent', 'alert e', 'log watch_skipped {"subject":"s","reason":"r"}'])
})

test('orders are sent one by one under their keys; of failures only those without a worker are told', async () => {
  const sent: unknown[] = []
  const queue = { send: async (...given: unknown[]) => String(sent.push(given)) }
  const failing = ['CAPTURE_LOST', 'TABLE_UNREADABLE'].map((code) => ({ relation: ORDERS, code, reason: 'r' }))
  const { parts, said } = partsWith({
    planRound: async (policy) => {
      expect(policy).toEqual({ allowedTables: [], minimumAgeMs: 150_000, overdueAfterMs: 300_000 })
      return { captures: [ORDER], confirmed: [], kept: [], quarantined: [], failing, overdue: [ORDERS] }
    },
  })
  await orderCaptures(parts, queue)
  expect(sent).toEqual([['capture', ORDER, { dedupeKey: 'capture-1', groupKey: '["public","orders"]' }]])
  expect(said).toEqual(['alert snapshot_capture_failed', 'alert snapshot_stale', 'health degraded'])
})

test('a worker counts what it captured and tells what failed', async () => {
  const failure = { relation: ORDERS, code: 'X', reason: 'r' }
  const { parts, said } = partsWith({ captureOne: async () => ({ status: 'failed', failure, times: 1 }) })
  expect(await captureTable(parts, ORDER)).toMatchObject({ status: 'failed' })
  expect(said).toEqual(['snapshot failed', 'alert snapshot_capture_failed'])
  const gone = partsWith({ captureOne: async () => ({ status: 'gone' }) })
  await captureTable(gone.parts, ORDER)
  expect(gone.said).toEqual([])
})
