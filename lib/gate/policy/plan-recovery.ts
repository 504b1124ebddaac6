/** From facts and policy to what has to be secured before a statement destroys anything. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, isAtLeast, quoteRelation } from '#lib/kernel/index.ts'
import type { DecisionFacts, Policy, RecoveryPlan } from './model.ts'
import { groupCompanions } from './table-entry.ts'

/** True when `planRecovery` needs `relatedTables` among the facts. */
export function needsRelatedTables(facts: DecisionFacts, policy: Policy): boolean {
  return policy.foreign_key_grouping_enabled && isRecoveryRequired(facts, policy)
}

/**
 * Which tables need a recovery point, how fresh, and what else must hold.
 *
 * Invariants: independent of the verdict, so that a level set to execute demands the same as one that is approved;
 *             `readyTables` ⊆ `captureTables`; nothing is demanded where nothing is lost or overwritten
 * Effects:    pure
 * Throws:     `BUG` when foreign-key grouping is on and `relatedTables` was not looked up
 */
export function planRecovery(facts: DecisionFacts, policy: Policy): RecoveryPlan {
  const required = isRecoveryRequired(facts, policy)
  const ready = required ? readyTables(facts, policy) : []
  return {
    required,
    readyTables: ready,
    captureTables: required ? distinct([...ready, ...withCompanions(facts.cascadeTables, policy)]) : [],
    maxAgeSeconds: policy.max_snapshot_age_seconds,
    ...(policy.require_sidecar_heartbeat ? { maxHeartbeatSeconds: policy.max_sidecar_heartbeat_seconds } : {}),
    verifyObjects: policy.require_object_checksum,
  }
}

function isRecoveryRequired(facts: DecisionFacts, policy: Policy): boolean {
  if (!policy.require_recovery_for_critical || !isAtLeast(facts.level, 'IMPACT_CRITICAL')) return false
  return facts.recoverability !== 'nothing-lost' || facts.writtenTables.length > 0
}

function readyTables(facts: DecisionFacts, policy: Policy): readonly RelationName[] {
  const cascades = policy.cascade_risk_requires_group_readiness ? facts.cascadeTables : []
  const own = [...facts.directTables, ...facts.writtenTables, ...cascades]
  const related = policy.foreign_key_grouping_enabled ? relatedTablesOf(facts) : []
  return distinct(withCompanions([...own, ...related], policy))
}

function withCompanions(tables: readonly RelationName[], policy: Policy): readonly RelationName[] {
  return [...tables, ...tables.flatMap((table) => groupCompanions(policy, table))]
}

function relatedTablesOf(facts: DecisionFacts): readonly RelationName[] {
  if (facts.relatedTables !== undefined) return facts.relatedTables
  throw new BackstopError('BUG', 'foreign-key grouping is on and the related tables were not looked up')
}

function distinct(tables: readonly RelationName[]): readonly RelationName[] {
  const byName = new Map(tables.map((table) => [quoteRelation(table), table]))
  return [...byName].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, table]) => table)
}
