/** From facts and policy to what has to be secured before a statement destroys anything. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, isAtLeast, quoteRelation } from '#lib/kernel/index.ts'
import type { DecisionFacts, Policy, RecoveryPlan } from './model.ts'
import { groupsOf } from './table-entry.ts'

/** True when `planRecovery` needs `relatedTables` among the facts. */
export function needsRelatedTables(facts: DecisionFacts, policy: Policy): boolean {
  return policy.foreign_key_grouping_enabled && isRecoveryRequired(facts, policy)
}

/** True when a group may be that of a partitioned table whose partition the statement names. */
export function needsPartitionedTables(facts: DecisionFacts, policy: Policy): boolean {
  return Object.keys(policy.recovery_groups).length > 0 && isRecoveryRequired(facts, policy)
}

/**
 * Which tables need a recovery point, how fresh, and what else must hold.
 *
 * Invariants: independent of the verdict, so that a level set to execute demands the same as one that is approved;
 *             `readyTables` ⊆ `captureTables`, but for a partitioned table whose partitions are captured; nothing is demanded
 *             where nothing is lost or overwritten
 * Effects:    pure
 * Throws:     `BUG` when foreign-key grouping is on and `relatedTables` was not looked up
 */
export function planRecovery(facts: DecisionFacts, policy: Policy): RecoveryPlan {
  const required = isRecoveryRequired(facts, policy)
  const groups = required ? readyGroups(facts, policy) : []
  const ready = required ? distinct([...ownTables(facts, policy), ...groups.flat()]) : []
  const captured = distinct([...ready, ...withCompanions(facts.cascadeTables, policy)])
  return {
    required,
    readyTables: ready,
    readyGroups: groups,
    captureTables: required ? captured.filter((table) => !isAmong(facts.partitionedTables ?? [], table)) : [],
    maxAgeSeconds: policy.max_snapshot_age_seconds,
    ...(policy.require_sidecar_heartbeat ? { maxHeartbeatSeconds: policy.max_sidecar_heartbeat_seconds } : {}),
    verifyObjects: policy.require_object_checksum,
  }
}

function isRecoveryRequired(facts: DecisionFacts, policy: Policy): boolean {
  if (!policy.require_recovery_for_critical || !isAtLeast(facts.level, 'IMPACT_CRITICAL')) return false
  return facts.recoverability !== 'nothing-lost' || facts.writtenTables.length > 0
}

function ownTables(facts: DecisionFacts, policy: Policy): readonly RelationName[] {
  const cascades = policy.cascade_risk_requires_group_readiness ? facts.cascadeTables : []
  return [...facts.directTables, ...facts.writtenTables, ...cascades]
}

/** What is only of use together: by a group of the policy, by foreign keys, by a cascade. Groups that overlap are one. */
function readyGroups(facts: DecisionFacts, policy: Policy): readonly (readonly RelationName[])[] {
  const own = ownTables(facts, policy)
  const related = policy.foreign_key_grouping_enabled ? relatedTablesOf(facts) : []
  const named = [...own, ...related, ...(facts.partitionedTables ?? [])]
  const groups = named.flatMap((table) => groupsOf(policy, table).map((companions) => [table, ...companions]))
  if (related.length > 0) groups.push([...own, ...related])
  if (policy.cascade_risk_requires_group_readiness && facts.cascadeTables.length > 0) groups.push([...own])
  return mergeOverlapping(groups).filter(({ length }) => length > 1)
}

function mergeOverlapping(groups: readonly (readonly RelationName[])[]): readonly (readonly RelationName[])[] {
  const merged: (readonly RelationName[])[] = []
  for (const group of groups) {
    const joined = merged.filter((other) => other.some((table) => isAmong(group, table)))
    for (const other of joined) merged.splice(merged.indexOf(other), 1)
    merged.push(distinct([...group, ...joined.flat()]))
  }
  return merged
}

function isAmong(tables: readonly RelationName[], table: RelationName): boolean {
  return tables.some((other) => quoteRelation(other) === quoteRelation(table))
}

function withCompanions(tables: readonly RelationName[], policy: Policy): readonly RelationName[] {
  return [...tables, ...tables.flatMap((table) => groupsOf(policy, table).flat())]
}

function relatedTablesOf(facts: DecisionFacts): readonly RelationName[] {
  if (facts.relatedTables !== undefined) return facts.relatedTables
  throw new BackstopError('BUG', 'foreign-key grouping is on and the related tables were not looked up')
}

function distinct(tables: readonly RelationName[]): readonly RelationName[] {
  const byName = new Map(tables.map((table) => [quoteRelation(table), table]))
  return [...byName].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, table]) => table)
}
