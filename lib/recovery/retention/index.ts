export { retentionAlerts } from './alerts.ts'
export { judgeClock } from './clock-doubt.ts'
export type { Keep, KeepKind } from './keep-record.ts'
export { addKeep, liftKeep, listKeeps } from './keep-record.ts'
export type {
  KeepReason,
  KeptPoint,
  RemovablePoint,
  RemovedPoint,
  RemoveReason,
  RetentionFacts,
  RetentionFailure,
  RetentionPlan,
  RetentionPolicy,
  RetentionPorts,
  RetentionReport,
  RetentionRequest,
  SweptFolder,
} from './model.ts'
export type { Retention } from './open.ts'
export { openRetention } from './open.ts'
export { planRetention } from './plan.ts'
export { runRetention } from './run.ts'
export { whileInUse } from './use-record.ts'
