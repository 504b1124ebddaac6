export type { ScheduledOutcome, ScheduledRun } from './run.ts'
export { runScheduled } from './run.ts'
