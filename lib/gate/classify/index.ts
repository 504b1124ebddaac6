export { classify } from './classify.ts'
export type {
  Access,
  Classification,
  ClassifiedStatement,
  ColumnUse,
  Finding,
  FunctionUse,
  ImpactShape,
  ObjectKind,
  Recoverability,
  RefusedText,
  Scope,
  Target,
  TransactionMode,
  WrittenName,
} from './model.ts'
export { MAX_STATEMENT_BYTES } from './model.ts'
export { loadClassifier } from './parser.ts'
