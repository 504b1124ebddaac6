export type { TokenOrder } from './entry.ts'
export { makeToken, TOKEN_BYTES } from './entry.ts'
