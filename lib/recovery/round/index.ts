export { captureOne } from './capture-one.ts'
export { judgeHealth } from './health.ts'
export { readTables } from './look.ts'
export type {
  CaptureOrder,
  CaptureOutcome,
  CaptureReason,
  CopyElsewhere,
  NamedGroup,
  QuarantinedPoint,
  RoundFailure,
  RoundPlan,
  RoundPolicy,
  RoundPorts,
  RoundReport,
} from './model.ts'
export { buildOrder, decodeCaptureOrder } from './order.ts'
export type { KnownPoint, PlannedTable, TableState } from './plan.ts'
export { isAllowed, planCaptures } from './plan.ts'
export { planRound, runRound } from './run.ts'
