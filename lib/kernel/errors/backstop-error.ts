import { GATE_ERRORS } from './gate.ts'
import type { ErrorEntry, ErrorKind } from './kind.ts'
import { ERROR_KINDS } from './kind.ts'
import { NATIVE_ERRORS } from './native.ts'
import { RECOVERY_ERRORS } from './recovery.ts'
import { SERVICE_ERRORS } from './service.ts'
import { STORE_ERRORS } from './store.ts'
import { UNDO_ERRORS } from './undo.ts'

/** The one table of error codes: code → kind, retry, hint. */
export const ERRORS = {
  ...STORE_ERRORS,
  ...GATE_ERRORS,
  ...RECOVERY_ERRORS,
  ...NATIVE_ERRORS,
  ...SERVICE_ERRORS,
  ...UNDO_ERRORS,
} as const

export type ErrorCode = keyof typeof ERRORS

/** Facts about an error that may be shown: names, sizes, ids. Never secrets, connection strings or SQL literals. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>

/** The only error class of the project: branch on `code`, never on the message. */
export class BackstopError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: ErrorDetails } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'BackstopError'
    this.code = code
    this.details = options.details ?? {}
  }

  get entry(): ErrorEntry {
    return ERRORS[this.code]
  }

  get kind(): ErrorKind {
    return this.entry.kind
  }

  get hint(): string {
    return this.entry.hint
  }

  get httpStatus(): number {
    return ERROR_KINDS[this.kind].httpStatus
  }

  get exitCode(): number {
    return ERROR_KINDS[this.kind].exitCode
  }
}

/** Narrow an unknown error, optionally to one code. */
export function isBackstopError(error: unknown, code?: ErrorCode): error is BackstopError {
  return error instanceof BackstopError && (code === undefined || error.code === code)
}
