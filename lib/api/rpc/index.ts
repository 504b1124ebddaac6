export { MOST_IN_BATCH } from './model.ts'
export { runRpc } from './run.ts'
