export { executionSettings } from './execution.ts'
export type { Log, LogLevel } from './log.ts'
export type { Foundation, GateDatabases, Parts, Stores } from './parts.ts'
export {
  anchorBy,
  openAlerts,
  openApprovals,
  openConduct,
  openLedger,
  openParts,
  openPause,
} from './parts.ts'
export {
  CAPTURE_WORK,
  captureRound,
  captureTable,
  drillTable,
  drillWhenDue,
  orderCaptures,
  verifyPoints,
  watchSessions,
} from './recovery-tasks.ts'
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
