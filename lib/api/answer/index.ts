export { asBackstopError, encodeError, errorName, scopeError } from './encode-error.ts'
export type { Answer } from './model.ts'
export { EMPTY_ANSWER, jsonAnswer, textAnswer } from './model.ts'
export { respond } from './respond.ts'
