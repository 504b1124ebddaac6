/** What each kind of error means to a caller: HTTP status, CLI exit code, and whether trying again can help. */
export const ERROR_KINDS = {
  invalid: { httpStatus: 400, exitCode: 2 },
  unauthenticated: { httpStatus: 401, exitCode: 1 },
  denied: { httpStatus: 403, exitCode: 1 },
  missing: { httpStatus: 404, exitCode: 1 },
  conflict: { httpStatus: 409, exitCode: 1 },
  limited: { httpStatus: 429, exitCode: 1 },
  oversized: { httpStatus: 413, exitCode: 1 },
  unsupported: { httpStatus: 501, exitCode: 1 },
  integrity: { httpStatus: 500, exitCode: 1 },
  dependency: { httpStatus: 503, exitCode: 1 },
  timeout: { httpStatus: 504, exitCode: 1 },
  bug: { httpStatus: 500, exitCode: 1 },
} as const

export type ErrorKind = keyof typeof ERROR_KINDS

/** One row of an error table: what it means, whether a retry can help, and what the reader should do next. */
export interface ErrorEntry {
  readonly kind: ErrorKind
  readonly retry: boolean
  readonly hint: string
}

export type ErrorTable = Readonly<Record<string, ErrorEntry>>
