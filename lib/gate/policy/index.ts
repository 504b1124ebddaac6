export { decide } from './decide.ts'
export { renderPolicyDocument } from './document.ts'
export type { LookedUp } from './facts.ts'
export { describeFacts } from './facts.ts'
export type { PolicyKeeperOptions } from './keeper.ts'
export { activatePolicy, openPolicyKeeper } from './keeper.ts'
export { parseLevelActions } from './level-action.ts'
export type {
  ActivePolicy,
  DecisionFacts,
  LevelActions,
  ParsedPolicy,
  Policy,
  PolicyAction,
  PolicyChange,
  PolicyKeeper,
  PolicyProblem,
  PolicyRefusal,
  PolicyReload,
  RecoveryPlan,
  Verdict,
} from './model.ts'
export { defaultPolicy, formatProblem, parsePolicy } from './parse-policy.ts'
export { needsPartitionedTables, needsRelatedTables, planRecovery } from './plan-recovery.ts'
export { RULES } from './rules/index.ts'
export type { RecoveryGroup } from './table-entry.ts'
export {
  isProtectedColumn,
  isProtectedTable,
  matchesTable,
  protectedColumnsOf,
  recoveryGroups,
} from './table-entry.ts'
