export { planCopyback } from './copyback-plan.ts'
export { CHECK_AT_ONCE, planRows } from './copyback-rows.ts'
export type { CopybackSituation, OriginalState } from './copyback-situation.ts'
export { readSituation } from './copyback-situation.ts'
export {
  attachToParents,
  canMakeRoom,
  incomingKeys,
  type KeyStatement,
  makeRoom,
  missingParts,
  remakeKey,
  replaceNotes,
  takePlace,
} from './copyback-table.ts'
export { interruptibly } from './interrupt.ts'
export { compareContent, loadRows } from './load.ts'
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
  RestoreValidation,
  RowDifference,
  StandIns,
} from './model.ts'
export { defaultTarget, derivedName, fitIdentifier } from './names.ts'
export { planRestore } from './plan.ts'
export { findMissing, lookForRequired, makeMissing } from './required.ts'
export type { RestorePorts } from './run.ts'
export { beginRestore, createTarget, exists, runRestore, runStatements, verifyParts } from './run.ts'
export { validateRestore } from './validate.ts'
