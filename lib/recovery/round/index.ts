export type { KnownPoint, PlannedTable, RoundPolicy, TableState } from './plan.ts'
export { planCaptures } from './plan.ts'
export type { RoundFailure, RoundPorts, RoundReport } from './run.ts'
export { runCaptureRound } from './run.ts'
