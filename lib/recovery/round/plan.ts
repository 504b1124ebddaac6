/** Decides which tables a round of background capture takes, and why. */
import type { RelationName } from '#lib/kernel/index.ts'
import { displayRelation, epochMsOf, quoteRelation } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { CLOCK_SKEW_MS } from '../catalog/index.ts'
import { hasWrites } from './counters.ts'
import type { RoundPolicy } from './model.ts'

export interface TableState {
  readonly relation: RelationName
  readonly oid: number
  /** With out-of-line values, without indexes; absent where nobody has looked. */
  readonly sizeBytes?: number
  /** The server's counters of changed rows; absent where nobody has looked. */
  readonly counters?: string
}

export type PlannedTable =
  | {
      readonly relation: RelationName
      readonly action: 'capture'
      readonly because: 'no-point' | 'changed' | 'maybe-changed' | 'new-table'
    }
  | { readonly relation: RelationName; readonly action: 'confirm'; readonly point: RecoveryPoint }
  | {
      readonly relation: RelationName
      readonly action: 'keep'
      readonly because: 'fresh' | 'not-allowed' | 'being-captured' | 'over-budget'
    }

export interface KnownPoint {
  readonly point: RecoveryPoint
  /** Of the snapshot in which the table was captured or last found equal; null when it cannot tell. */
  readonly stateMark: string | null
  /** The server's counters then. */
  readonly counters?: string | undefined
  /** How many times in a row it was compared and found equal. */
  readonly timesEqual?: number
  /** The last capture or comparison failed. */
  readonly isFailing?: boolean
}

/**
 * One decision per table; `points` by quoted name. Oldest points first, so that a round that is cut short does the most urgent work.
 *
 * Effects: pure
 * Invariants: a table is confirmed at once only when the server's state mark is the one of its point: then no transaction
 *             anywhere in the cluster has ended in between. Counters only ever lead to a copy. What the budget leaves out comes
 *             first in the next round, being the oldest then
 */
export function planCaptures(
  tables: readonly TableState[],
  points: ReadonlyMap<string, KnownPoint>,
  policy: RoundPolicy,
  stateMark: string | null,
  nowMs: number,
  isRunning: (relation: RelationName) => boolean = () => false,
): readonly PlannedTable[] {
  const decided = tables.map((table) => {
    const known = points.get(quoteRelation(table.relation))
    const plan = planTable(table, known, policy, stateMark, nowMs)
    const isTaken = plan.action === 'capture' && isRunning(table.relation)
    const taken = { relation: table.relation, action: 'keep', because: 'being-captured' } as const
    return { plan: isTaken ? taken : plan, atMs: freshAtMs(known?.point) }
  })
  const oldestFirst = decided.sort((left, right) => left.atMs - right.atMs)
  return withinBudget(oldestFirst, tables, points, policy, nowMs)
}

interface Dated {
  readonly plan: PlannedTable
  readonly atMs: number
}

/** The oldest is compared however large it is, and so is what could not wait for another round. */
function withinBudget(
  oldestFirst: readonly Dated[],
  tables: readonly TableState[],
  points: ReadonlyMap<string, KnownPoint>,
  policy: RoundPolicy,
  nowMs: number,
): readonly PlannedTable[] {
  const sizes = new Map(tables.map(({ relation, sizeBytes }) => [quoteRelation(relation), sizeBytes ?? 0]))
  const budgetBytes = policy.compareBudgetBytes ?? Number.POSITIVE_INFINITY
  let spentBytes = 0
  return oldestFirst.map(({ plan, atMs }) => {
    if (plan.action !== 'capture' || plan.because !== 'maybe-changed') return plan
    const name = quoteRelation(plan.relation)
    // A copy is smaller than its table, but stands in where nobody has measured that.
    const bytes = sizes.get(name) || (points.get(name)?.point.sizeBytes ?? 0)
    const isUrgent = policy.latestAgeMs !== undefined && nowMs - atMs >= policy.latestAgeMs
    if (spentBytes > 0 && spentBytes + bytes > budgetBytes && !isUrgent) {
      return { relation: plan.relation, action: 'keep', because: 'over-budget' }
    }
    spentBytes += Math.max(bytes, 1)
    return plan
  })
}

function planTable(
  table: TableState,
  known: KnownPoint | undefined,
  policy: RoundPolicy,
  stateMark: string | null,
  nowMs: number,
): PlannedTable {
  const { relation } = table
  if (!isAllowed(relation, policy.allowedTables)) return { relation, action: 'keep', because: 'not-allowed' }
  if (known === undefined) return { relation, action: 'capture', because: 'no-point' }
  if (known.point.relationOid !== table.oid) return { relation, action: 'capture', because: 'new-table' }
  if (stateMark !== null && known.stateMark === stateMark) return { relation, action: 'confirm', point: known.point }
  if (isYoung(known.point, policy.minimumAgeMs, nowMs)) return { relation, action: 'keep', because: 'fresh' }
  const isWritten = known.isFailing === true || hasWrites(known.counters, table.counters)
  if (isWritten || policy.compareBudgetBytes === 0) return { relation, action: 'capture', because: 'changed' }
  if (isYoung(known.point, restAgeMs(known, policy), nowMs)) return { relation, action: 'keep', because: 'fresh' }
  return { relation, action: 'capture', because: 'maybe-changed' }
}

/** A table that was found equal again and again is compared less often, as far as its point stays young enough. */
function restAgeMs({ timesEqual = 0 }: KnownPoint, { minimumAgeMs, latestAgeMs = 0 }: RoundPolicy): number {
  const grownMs = minimumAgeMs * (1 + timesEqual / TIMES_FOR_ANOTHER)
  return Math.max(minimumAgeMs, Math.min(grownMs, latestAgeMs))
}

/** So many comparisons that found nothing make the time to the next one longer by the minimum age. */
const TIMES_FOR_ANOTHER = 4

export function isAllowed(relation: RelationName, allowed: readonly string[]): boolean {
  return allowed.length === 0 || allowed.includes(relation.name) || allowed.includes(displayRelation(relation))
}

/** A point from further in the future than clocks may differ proves nothing about its age. */
export function isYoung(point: RecoveryPoint, minimumAgeMs: number, nowMs: number): boolean {
  const ageMs = nowMs - freshAtMs(point)
  return ageMs >= -CLOCK_SKEW_MS && Math.max(0, ageMs) < minimumAgeMs
}

export function freshAtMs(point: RecoveryPoint | undefined): number {
  return point === undefined ? 0 : epochMsOf(point.confirmedAt ?? point.capturedAt)
}
