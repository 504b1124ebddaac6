export type { ErrorCode, ErrorDetails } from './backstop-error.ts'
export { BackstopError, ERRORS, isBackstopError } from './backstop-error.ts'
export type { ErrorEntry, ErrorKind } from './kind.ts'
