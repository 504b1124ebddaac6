export type { StartedProduct, StartOrder } from './start.ts'
export { startUp } from './start.ts'
