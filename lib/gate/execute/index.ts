export type {
  ChangedTable,
  Changes,
  ExecutionLimits,
  ExecutionSettings,
  GuardStopped,
  Keeper,
  Prelude,
  Ran,
  RowGuard,
  Statement,
  WriteOutcome,
} from './model.ts'
export { changedRowCount } from './row-guard.ts'
export { runOutside, runRead, runWrite } from './run.ts'
export { beginRead, limitTime, sessionSettings } from './settings.ts'
