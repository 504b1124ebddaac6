/** Decides for every point whether it stays, and why. */
import { quoteRelation } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { newestFirst } from './age.ts'
import { judgeTable } from './judge-table.ts'
import type {
  KeepReason,
  KeptPoint,
  RemovablePoint,
  RemoveReason,
  RetentionFacts,
  RetentionPlan,
  RetentionPolicy,
} from './model.ts'

/**
 * Effects:    pure
 * Invariants: the newest valid point of every table stays; another pin, approval or restore never removes more; a larger figure
 *             never keeps less, where not all were 0 before; what a plan leaves, the same plan leaves again
 */
export function planRetention(facts: RetentionFacts, policy: RetentionPolicy, nowMs: number): RetentionPlan {
  const reasons = new Map<string, Set<KeepReason>>(facts.points.map((point) => [point.snapshotId, new Set()]))
  const keep = (point: RecoveryPoint, because: KeepReason) => void reasons.get(point.snapshotId)?.add(because)
  for (const points of byTable(facts.points)) judgeTable(points, policy, nowMs, keep)
  for (const { snapshotId, status } of facts.points) {
    const isGivenUp = facts.givenUp?.has(snapshotId) === true && (status === 'quarantined' || status === 'invalid')
    if (isGivenUp) reasons.get(snapshotId)?.clear()
  }
  for (const point of facts.points) keepWanted(point, facts, keep)
  keepSets(facts.points, reasons)
  const kept: KeptPoint[] = []
  const remove: RemovablePoint[] = []
  for (const point of [...facts.points].sort(newestFirst)) {
    const because = [...(reasons.get(point.snapshotId) ?? [])]
    if (because.length > 0) kept.push({ point, because })
    else remove.push({ point, because: removeReason(point) })
  }
  return { keep: kept, remove }
}

function byTable(points: readonly RecoveryPoint[]): Iterable<readonly RecoveryPoint[]> {
  return Map.groupBy([...points].sort(newestFirst), ({ relation }) => quoteRelation(relation)).values()
}

/** What people and work count on stays, in whatever state it is. */
function keepWanted(
  point: RecoveryPoint,
  facts: RetentionFacts,
  keep: (point: RecoveryPoint, because: KeepReason) => void,
): void {
  const { snapshotId } = point
  if (facts.pinned.has(snapshotId)) keep(point, 'pinned')
  if (facts.held.has(snapshotId)) keep(point, 'legal-hold')
  if (facts.needed.has(snapshotId)) keep(point, 'approval')
  if (facts.inUse.has(snapshotId)) keep(point, 'in-use')
}

/** A set is good for something only as a whole: where one of its sound members stays, all do. */
function keepSets(points: readonly RecoveryPoint[], reasons: ReadonlyMap<string, Set<KeepReason>>): void {
  const members = Map.groupBy(
    points.filter(({ setId }) => setId !== undefined),
    ({ setId }) => setId,
  )
  const keepsSet = ({ snapshotId, status }: RecoveryPoint) =>
    (status === 'valid' || isWanted(reasons.get(snapshotId))) && (reasons.get(snapshotId)?.size ?? 0) > 0
  for (const set of members.values()) {
    if (!set.some(keepsSet)) continue
    for (const { snapshotId } of set) if (reasons.get(snapshotId)?.size === 0) reasons.get(snapshotId)?.add('set')
  }
}

const WANTED: readonly KeepReason[] = ['pinned', 'legal-hold', 'approval', 'in-use']

function isWanted(reasons: ReadonlySet<KeepReason> | undefined): boolean {
  return WANTED.some((reason) => reasons?.has(reason))
}

function removeReason({ status }: RecoveryPoint): RemoveReason {
  if (status === 'retired') return 'unfinished'
  return status === 'valid' ? 'not-kept' : 'quarantine-over'
}
