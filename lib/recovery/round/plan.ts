/** Decides which tables a round of background capture takes, and why. */
import type { RelationName } from '#lib/kernel/index.ts'
import { displayRelation, epochMsOf, quoteRelation } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { CLOCK_SKEW_MS } from '../catalog/index.ts'
import type { RoundPolicy } from './model.ts'

export interface TableState {
  readonly relation: RelationName
  readonly oid: number
}

export type PlannedTable =
  | {
      readonly relation: RelationName
      readonly action: 'capture'
      readonly because: 'no-point' | 'changed' | 'new-table'
    }
  | { readonly relation: RelationName; readonly action: 'confirm'; readonly point: RecoveryPoint }
  | {
      readonly relation: RelationName
      readonly action: 'keep'
      readonly because: 'fresh' | 'not-allowed' | 'being-captured'
    }

export interface KnownPoint {
  readonly point: RecoveryPoint
  /** From the point's manifest; null when it cannot tell. */
  readonly stateMark: string | null
}

/**
 * One decision per table; `points` by quoted name. Oldest points first, so that a round that is cut short does the most urgent work.
 *
 * Effects: pure
 * Invariants: a table is confirmed without a copy only when the server's state mark is the one of its point: then no
 *             transaction anywhere in the cluster has ended in between
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
  return decided.sort((left, right) => left.atMs - right.atMs).map(({ plan }) => plan)
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
  return { relation, action: 'capture', because: 'changed' }
}

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
