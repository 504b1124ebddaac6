export type { ConductLimits } from './count.ts'
export type {
  ConductWatch,
  Quarantine,
} from './model.ts'
export type { ConductWatchOptions } from './watch.ts'
export { conductLimitsOf, openConductWatch } from './watch.ts'
