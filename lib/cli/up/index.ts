export type { StartedProduct, StartOrder } from './start.ts'
export { startUp } from './start.ts'
export { up } from './up.ts'
