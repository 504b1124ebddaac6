/** Retention as the product runs it: whom it asks, what it tells, and what it writes down before it acts. */
import { expect, test } from 'vitest'
import type { JsonObject } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { Parts } from '#lib/product/index.ts'
import { keepPoint, liftKeep, retainPoints, retainWhenDue } from '#lib/product/index.ts'
import type { RetentionReport, RetentionRequest } from '#lib/recovery/index.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import { pointOf } from '#test/support/recovery/point.ts'

const NOTHING: RetentionReport = { isDryRun: false, removed: [], kept: [], swept: [], failed: [], skipped: [] }
const POINT = pointOf('1', '2027-01-01T00:00:00.000Z')

interface Scene {
  readonly report?: Partial<RetentionReport>
  readonly lastAt?: string
  readonly intervalHours?: number
  readonly refusal?: BackstopError
}

function open({ report = {}, lastAt, intervalHours = 24, refusal }: Scene = {}) {
  const said: string[] = []
  const requests: RetentionRequest[] = []
  const keep = async (order: { kind: string }) => {
    if (refusal !== undefined) throw refusal
    said.push(`keep ${order.kind}`)
    return order
  }
  const parts = {
    clock: createFixedClock(),
    settings: { retention: { keepLast: 7 }, retentionIntervalHours: intervalHours },
    recovery: {
      retain: async (request: RetentionRequest) => {
        requests.push(request)
        return { ...NOTHING, ...report }
      },
      findLastRetentionAt: async () => lastAt,
      keep,
      liftKeep: async (_id: string, kind: string) => await keep({ kind }),
    },
    approvals: {
      list: async ({ state, cursor }: { state: string; cursor?: string }) => ({
        approvals: [{ binding: { recoveryPoints: [`snap_${state}${cursor ?? ''}`, 'snap_both'] } }],
        ...(state === 'pending' && cursor === undefined ? { cursor: '-more' } : {}),
      }),
    },
    alerts: {
      settle: async (family: string, alerts: readonly { eventType: string }[]) =>
        void said.push(`settle ${family} ${alerts.map(({ eventType }) => eventType).join(' ')}`.trim()),
    },
    metrics: { noteRetention: (outcome: string, count: number) => said.push(`${outcome} ${count}`) },
    log: (_level: string, event: string, facts: JsonObject) => said.push(`log ${event} ${JSON.stringify(facts)}`),
    ledger: {
      begin: async ({ action, principal, facts }: JsonObject) =>
        `aud_${said.push(`begin ${action} ${principal} ${JSON.stringify(facts)}`)}`,
      finish: async (_id: string, { outcome, errorCode }: JsonObject) =>
        void said.push(`finish ${outcome} ${errorCode ?? ''}`.trim()),
    },
  }
  return { parts: parts as unknown as Parts, said, requests }
}

test('what held and approved statements count on is asked for, page by page', async () => {
  const { parts, requests } = open()
  await retainPoints(parts, { isClockTrusted: true })
  expect(requests[0]).toMatchObject({ policy: { keepLast: 7 }, isClockTrusted: true })
  const needed = ['snap_pending', 'snap_both', 'snap_pending-more', 'snap_approved']
  expect(await requests[0]?.findNeeded()).toEqual(needed)
})

test('what was removed and kept is counted, and refusals are told until they are over', async () => {
  const removed = {
    snapshotId: POINT.snapshotId,
    relation: POINT.relation,
    capturedAt: POINT.capturedAt,
    because: 'not-kept',
    objectCount: 2,
    sizeBytes: 10,
  } as const
  const failed = [{ subject: 'snap_2', code: 'STORAGE_UNREACHABLE', reason: 'locked' }]
  const { parts, said } = open({
    report: {
      removed: [removed],
      failed,
      kept: [{ point: POINT, because: ['pinned'] }],
      swept: [{ prefix: 'p', objectCount: 1, sizeBytes: 5 }],
    },
  })
  await retainPoints(parts)
  expect(said).toEqual([
    'removed 1',
    'kept 1',
    'failed 1',
    'settle retention retention_failed',
    'log retention {"removed":1,"kept":1,"leftovers":1,"bytes":15,"failed":1,"skipped":""}',
  ])
})

test('that a clock is doubted is told, and that another run is at it is not', async () => {
  const skipped = (reason: string) => ({ report: { skipped: [{ subject: 'every removal', reason }] } })
  const doubted = open(skipped('the clock is far from the last run'))
  await retainPoints(doubted.parts)
  expect(doubted.said).toContain('settle retention retention_halted')
  const beside = open(skipped('another run of retention is at it'))
  await retainPoints(beside.parts)
  expect(beside.said).toContain('settle retention')
})

test.for([
  ['never', undefined, 24, true],
  ['23 hours ago', '2027-01-14T09:00:00.000Z', 24, false],
  ['a day ago', '2027-01-14T08:00:30.000Z', 24, true],
  ['in the future', '2027-01-16T08:00:00.000Z', 24, true],
  ['never, and it is switched off', undefined, 0, false],
] as const)('a run is due when the last one was %s', async ([, lastAt, intervalHours, isDue]) => {
  const { parts, requests } = open({ intervalHours, ...(lastAt === undefined ? {} : { lastAt }) })
  await retainWhenDue(parts)
  expect(requests).toHaveLength(isDue ? 1 : 0)
})

test('who keeps or lets go is written down before it is done, and what came of it after', async () => {
  const order = { snapshotId: POINT.snapshotId, kind: 'hold', reason: 'case 7', by: 'ada' } as const
  const { parts, said } = open()
  await keepPoint(parts, order)
  await liftKeep(parts, { ...order, kind: 'pin' })
  const facts = '{"snapshotId":"snap_1","reason":"case 7"}'
  expect(said).toEqual([
    `begin snapshot-held ada ${facts}`,
    'keep hold',
    'finish recorded',
    `begin snapshot-unpinned ada ${facts}`,
    'keep pin',
    'finish recorded',
  ])
  const refused = open({ refusal: new BackstopError('SNAPSHOT_RETIRED', 'gone') })
  await expect(keepPoint(refused.parts, order)).rejects.toMatchObject({ code: 'SNAPSHOT_RETIRED' })
  expect(refused.said.at(-1)).toBe('finish failed SNAPSHOT_RETIRED')
})
