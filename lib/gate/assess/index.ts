export type {
  Assessment,
  Impact,
  ImpactMethod,
  ResolvedFunction,
  ResolvedTarget,
} from './model.ts'
