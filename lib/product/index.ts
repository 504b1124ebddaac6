export { CAPTURE_WORK, LARGE_CAPTURE_WORK } from './capture-work.ts'
export type { ReinstateOrder } from './check-point.ts'
export { reinstatePoint } from './check-point.ts'
export { type ClockWatch, openClockWatch } from './clock-watch.ts'
export type { CheckReport, LaunchOrder, LaunchPorts, LaunchReport } from './doctor/index.ts'
export { examineLaunch, judgeLaunch, noteDoctor } from './doctor/index.ts'
export type { DrillGround, NativeGround } from './drill-tasks.ts'
export { drillOnce, drillTable, drillWhenDue } from './drill-tasks.ts'
export { executionSettings } from './execution.ts'
export type { Log, LogLevel } from './log.ts'
export type { Foundation, GateDatabases, Parts, Stores } from './model.ts'
export {
  anchorBy,
  openAlerts,
  openApprovals,
  openConduct,
  openLedger,
  openParts,
  openPause,
} from './parts.ts'
export { captureLimits, noteGivenBack, openFanOut, openSessionHelpers } from './range-work.ts'
export {
  captureRound,
  captureTable,
  orderCaptures,
  verifyPoints,
} from './recovery-tasks.ts'
export { countRefusals, tellRefusals } from './refusals.ts'
export type { KeepOrder, RetainOptions } from './retention.ts'
export { keepPoint, liftKeep, prunePoints, retainPoints, retainWhenDue } from './retention.ts'
export {
  apiSettings,
  auditReader,
  defectReporter,
  healthProbes,
  servicesOf,
  snapshotReader,
} from './services.ts'
export type { ProductSettings } from './settings.ts'
export { PRODUCT_VARIABLES, productSettings } from './settings.ts'
export { expire, reconcile, refreshFigures, seal } from './tasks.ts'
export type { CollectPorts, RunPorts, RunReport } from './ticket/index.ts'
export { decodeTicketKey, openCollectingGate, runTicket } from './ticket/index.ts'
export { openUndo, sweepUndo, undoDeskOf, undoKeeper } from './undo.ts'
export type { Environment } from './variables.ts'
export { optional, readVariables, wholeNumber } from './variables.ts'
export type { SessionWatch } from './watch-tasks.ts'
export { watchHeartbeat, watchSessions, watchStaleness, watchTables } from './watch-tasks.ts'
