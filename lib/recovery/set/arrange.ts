/** Makes the orders of a round for tables that are only of use together into orders for sets. */
import type { RelationName } from '#lib/kernel/index.ts'
import { displayRelation, epochMsOf, jsonDigest, quoteRelation } from '#lib/kernel/index.ts'
import type { Database } from '#lib/ports/index.ts'
import type { CaptureOrder, RoundPlan, RoundPolicy } from '../round/index.ts'
import { buildOrder, isAllowed } from '../round/index.ts'
import type { SetCatalog } from './catalog.ts'
import { readGraph } from './graph.ts'
import type { FoundGroup } from './group.ts'
import { findGroups, findJoined } from './group.ts'
import type { GraphTable, StoredSet, TableGraph } from './model.ts'

const KEY_DIGITS = 32

export interface ArrangePorts {
  readonly database: Database
  readonly sets: SetCatalog
  readonly clock: { nowMs(): number }
}

/**
 * Where a table of a group needs a capture, all of them are captured at one instant: the first order takes the others along, and
 * further orders of the same group are dropped. A group that has no valid set is ordered though none of its tables has changed.
 * An order that only compares keeps its table, and takes the others along when that has changed. After a failure each table is
 * captured alone, so that one that cannot be captured keeps no other from having points.
 *
 * Throws: `DATABASE_UNREACHABLE`, `METADATA_UNREACHABLE`
 */
export async function arrangeSets(ports: ArrangePorts, plan: RoundPlan, policy: RoundPolicy): Promise<RoundPlan> {
  const { groups = [], isForeignKeyGrouping = false } = policy
  if (groups.length === 0 && !isForeignKeyGrouping) return plan
  const graph = await ports.database.withSession((session) => readGraph(session))
  const found = [...findGroups(graph, groups), ...(isForeignKeyGrouping ? findJoined(graph) : [])].filter(
    ({ members }) => members.every((member) => isAllowed(member, policy.allowedTables)),
  )
  let captures = plan.captures
  for (const group of found) {
    const members = new Set(group.members.map(quoteRelation))
    if (plan.failing.some(({ relation }) => members.has(quoteRelation(relation)))) continue
    captures = takeAlong(captures, group, members)
    const isOrdered = captures.some(
      ({ relation, because }) => because !== 'maybe-changed' && members.has(quoteRelation(relation)),
    )
    if (isOrdered) continue
    const set = (await ports.sets.findNewestValid(group.members))?.set
    const nowMs = ports.clock.nowMs()
    const isHolding = set !== undefined && !hasNewRows(graph, group, captures, set, policy, nowMs)
    if (!isHolding && !isBusy(plan, group)) captures = [...captures, orderFor(graph, group, policy, set, nowMs)]
  }
  return { ...plan, captures }
}

/** Of orders that surely copy the first is enough; each that compares may be the one that finds a change. */
function takeAlong(
  captures: readonly CaptureOrder[],
  group: FoundGroup,
  members: ReadonlySet<string>,
): readonly CaptureOrder[] {
  const isOf = ({ relation }: CaptureOrder) => members.has(quoteRelation(relation))
  const sure = captures.find((order) => isOf(order) && order.because !== 'maybe-changed')
  const sizeBytes = captures.filter(isOf).reduce((sum, order) => sum + (order.sizeBytes ?? 0), 0)
  return captures.flatMap((order) => {
    if (!isOf(order)) return [order]
    if (sure !== undefined && order !== sure) return []
    const others = [...(order.companions ?? []), ...group.members].filter(
      (other) => quoteRelation(other) !== quoteRelation(order.relation),
    )
    const companions = [...new Map(others.map((other) => [quoteRelation(other), { ...other }])).values()]
    return [{ ...order, companions, ...(order.sizeBytes === undefined ? {} : { sizeBytes }) }]
  })
}

/** A partitioned table has no order of its own: it has changed when one of its partitions has. */
function hasNewRows(
  graph: TableGraph,
  group: FoundGroup,
  captures: readonly CaptureOrder[],
  set: StoredSet,
  policy: RoundPolicy,
  nowMs: number,
): boolean {
  if (nowMs - epochMsOf(set.capturedAt) < policy.minimumAgeMs) return false
  return partitionsOf(graph, group).some((relation) => isAmong(captures, relation))
}

function partitionsOf(graph: TableGraph, { members }: FoundGroup): readonly RelationName[] {
  const under = new Set(members.map(quoteRelation))
  const partitions: RelationName[] = []
  for (let isGrowing = true; isGrowing; ) {
    const more = graph.tables.filter(
      ({ relation, isPartition, parents }) =>
        isPartition &&
        !under.has(quoteRelation(relation)) &&
        parents.some((parent) => under.has(quoteRelation(parent))),
    )
    for (const { relation } of more) under.add(quoteRelation(relation))
    partitions.push(...more.map(({ relation }) => relation))
    isGrowing = more.length > 0
  }
  return partitions
}

function isAmong(captures: readonly CaptureOrder[], relation: RelationName): boolean {
  return captures.some((order) => quoteRelation(order.relation) === quoteRelation(relation))
}

function isBusy(plan: RoundPlan, { members }: FoundGroup): boolean {
  const names = new Set(members.map(displayRelation))
  return plan.kept.some(({ relation, reason }) => reason === 'being-captured' && names.has(displayRelation(relation)))
}

/** Under the name of a member that has no partitions, where there is one. */
function orderFor(
  graph: TableGraph,
  group: FoundGroup,
  policy: RoundPolicy,
  basis: StoredSet | undefined,
  nowMs: number,
): CaptureOrder {
  const tables = new Map(graph.tables.map((table) => [quoteRelation(table.relation), table]))
  const members = group.members.map((member) => tables.get(quoteRelation(member)) as GraphTable)
  const first = members.find(({ kind }) => kind === 'table') ?? (members[0] as GraphTable)
  const order = buildOrder(first, basis === undefined ? 'no-point' : 'changed', undefined, policy, nowMs)
  const companions = group.members.filter((member) => member !== first.relation).map((member) => ({ ...member }))
  const need = [order.dedupeKey, basis?.setId ?? null, ...group.members.map(quoteRelation)]
  // A young point of this one table says nothing about the set.
  return { ...order, companions, minimumAgeMs: 0, dedupeKey: `set-${jsonDigest(need).slice(0, KEY_DIGITS)}` }
}
