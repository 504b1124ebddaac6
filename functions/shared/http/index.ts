export type { HttpParts } from './serve.ts'
export { httpFunction } from './serve.ts'
export { servicesWith } from './services.ts'
