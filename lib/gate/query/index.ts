export type {
  AnalyzeAnswer,
  CommandAnswer,
  FailedAnswer,
  HeldAnswer,
  Principal,
  QueryAnswer,
  QueryGate,
  QueryRequest,
  RecoveryPointAnswer,
  RefusedAnswer,
  RowsAnswer,
  SafetyMetadata,
} from './model.ts'
