export type { DirectSession, Looked, WatchReport, WatchSettings } from './model.ts'
export { buildFindings } from './plan.ts'
export { runWatch } from './run.ts'
