export { openQueryGate } from './gate.ts'
export type {
  AnalyzeAnswer,
  CommandAnswer,
  ExecutingAnswer,
  FailedAnswer,
  HeldAnswer,
  OpenQueryGate,
  Principal,
  QueryAnswer,
  QueryGate,
  QueryRequest,
  RecoveryPointAnswer,
  RefusedAnswer,
  RowsAnswer,
  SafetyMetadata,
  UndoAnswer,
} from './model.ts'
export type { GateObserver, GateParts, UndoKeeper } from './parts.ts'
