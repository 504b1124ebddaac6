export type {
  ActivePolicy,
  Policy,
  PolicyAction,
  Verdict,
} from './model.ts'
