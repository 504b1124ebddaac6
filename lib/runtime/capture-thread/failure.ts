/** Errors as they cross from one thread to another: a structured clone would keep the message and lose code, details and class. */
import { BackstopError, type ErrorCode, type ErrorDetails, isBackstopError } from '#lib/kernel/index.ts'
import { type DatabaseFailure, StatementError } from '#lib/ports/index.ts'

export type ThreadFailure =
  | { readonly kind: 'backstop'; readonly code: ErrorCode; readonly message: string; readonly details: ErrorDetails }
  | { readonly kind: 'statement'; readonly failure: DatabaseFailure }
  | { readonly kind: 'other'; readonly name: string; readonly message: string; readonly stack: string }

/** Pure. The cause stays behind. */
export function encodeFailure(error: unknown): ThreadFailure {
  if (isBackstopError(error)) {
    const { code, message, details } = error
    return { kind: 'backstop', code, message, details }
  }
  if (error instanceof StatementError) return { kind: 'statement', failure: error.failure }
  const { name, message, stack = '' } = error instanceof Error ? error : new Error(String(error))
  return { kind: 'other', name, message, stack }
}

/** Pure. `decodeFailure(encodeFailure(error))` is told, noted and branched on as `error` is. */
export function decodeFailure(failure: ThreadFailure): Error {
  if (failure.kind === 'backstop') return new BackstopError(failure.code, failure.message, { details: failure.details })
  if (failure.kind === 'statement') return new StatementError(failure.failure)
  const error = new Error(failure.message)
  error.name = failure.name
  error.stack = failure.stack
  return error
}
