import { expect, test } from 'vitest'
import { defaultPolicy } from '#lib/gate/index.ts'
import type { JsonObject } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { Parts } from '#lib/product/index.ts'
import { captureRound, captureTable, orderCaptures, verifyPoints } from '#lib/product/index.ts'
import type { CaptureOrder, Recovery } from '#lib/recovery/index.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'

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
      snapshotMaxFailures: 3,
      ...settings,
    },
    policy: { active: () => ({ policy: { ...defaultPolicy(), max_snapshot_age_seconds: 300 } }) },
    alerts: {
      raise: async ({ eventType }: { eventType: string }) => void said.push(`alert ${eventType}`),
      begin: async (family: string, { eventType }: { eventType: string }) =>
        void said.push(`begin ${family} ${eventType}`),
      settle: async (family: string, standing: readonly { eventType: string; facts: JsonObject }[]) =>
        void said.push(
          `settle ${family} ${standing.map(({ facts }) => facts['code'] ?? facts['table']).join(' ')}`.trim(),
        ),
      listStanding: async () => [],
    },
    metrics: {
      noteSnapshot: (status: string) => said.push(`snapshot ${status}`),
      noteVerified: () => {},
      noteDrill: () => {},
      setCaptureHealth: (health: string) => said.push(`health ${health}`),
    },
    log: (_level: string, event: string, facts: JsonObject) => said.push(`log ${event} ${JSON.stringify(facts)}`),
  }
  return { parts: parts as unknown as Parts, said, clock }
}

test('a check reads within the budget and tells of each corrupt point', async () => {
  const corrupt = [{ snapshotId: 'snap_1' as const, relation: ORDERS, reason: 'r' }]
  const { parts, said } = partsWith({
    verifyPoints: async (request) => {
      expect(request).toEqual({ budgetBytes: 2 * 1_048_576, maxPoints: 10_000 })
      return { checked: 1, corrupt, skipped: [], unread: 0, bytes: 5, sets: { checked: 0, corrupt: [] }, strays: [] }
    },
  })
  await verifyPoints(parts)
  expect(said).toEqual([
    'alert snapshot_quarantined',
    'log points_verified {"checked":1,"corrupt":1,"skipped":0,"bytes":5}',
  ])
})

test('orders are sent one by one under their keys; tables that fail and tables that age are told', async () => {
  const sent: unknown[] = []
  const queue = { send: async (...given: unknown[]) => String(sent.push(given)) }
  const failing = ['CAPTURE_LOST', 'TABLE_UNREADABLE'].map((code) => ({ relation: ORDERS, code, reason: 'r' }))
  const { parts, said } = partsWith({
    planRound: async (policy) => {
      expect(policy).toMatchObject({
        groups: [],
        isForeignKeyGrouping: false,
        allowedTables: [],
        minimumAgeMs: 150_000,
        overdueAfterMs: 300_000,
      })
      return { captures: [ORDER], confirmed: [], regained: [], kept: [], quarantined: [], failing, overdue: [ORDERS] }
    },
  })
  await orderCaptures(parts, queue)
  expect(sent).toEqual([['capture', ORDER, { dedupeKey: 'capture-1', groupKey: '["public","orders"]' }]])
  expect(said).toEqual([
    'settle storage',
    'settle capture CAPTURE_LOST TABLE_UNREADABLE',
    'settle stale public.orders',
    'health degraded',
  ])
})

test.for([
  ['TABLE_UNREADABLE', 1, ['snapshot failed', 'begin capture snapshot_capture_failed']],
  ['DATABASE_UNREACHABLE', 2, ['snapshot failed']],
  ['DATABASE_UNREACHABLE', 3, ['snapshot failed', 'begin capture snapshot_capture_failed']],
  ['SQLSTATE_53200', 2, ['snapshot failed']],
  ['SNAPSHOT_CORRUPT', 1, ['snapshot verification_failed', 'begin capture snapshot_capture_failed']],
  ['STORAGE_UNREACHABLE', 1, ['snapshot failed', 'begin storage storage_unreachable']],
] as const)('a capture that failed with %s for the %s. time is told as %s', async ([code, times, expected]) => {
  const failure = { relation: ORDERS, code, reason: 'r', times }
  const { parts, said } = partsWith({ captureOne: async () => ({ status: 'failed', failure, times }) })
  expect(await captureTable(parts, ORDER)).toMatchObject({ status: 'failed' })
  expect(said).toEqual(expected)
})

test('a table that is gone is nothing to tell', async () => {
  const gone = partsWith({ captureOne: async () => ({ status: 'gone' }) })
  await captureTable(gone.parts, ORDER)
  expect(gone.said).toEqual([])
})

test('a storage that cannot be reached is one alert, whatever is to be captured, and the round still fails', async () => {
  const { parts, said } = partsWith({
    runRound: async () => {
      throw new BackstopError('STORAGE_UNREACHABLE', 'gone')
    },
  })
  await expect(captureRound(parts)).rejects.toMatchObject({ code: 'STORAGE_UNREACHABLE' })
  expect(said).toEqual(['begin storage storage_unreachable'])
})
