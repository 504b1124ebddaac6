export type {
  ConductWatch,
  Quarantine,
} from './model.ts'
