export { planCopyback } from './copyback-plan.ts'
export type { CopybackSituation, OriginalState } from './copyback-situation.ts'
export { readSituation } from './copyback-situation.ts'
export type {
  ConflictPolicy,
  CopybackKind,
  CopybackPlan,
  NotRebuilt,
  RestorePlan,
  RestoreProgress,
  RestoreReport,
  RestoreRequest,
  RestoreStatement,
} from './model.ts'
export { defaultTarget, derivedName } from './names.ts'
export type { RestorePorts } from './run.ts'
export { runRestore } from './run.ts'
