export { runRpc } from './run.ts'
