/** What went wrong, as code and reason that may be kept and shown: names and figures, never values of rows. */
import type { ErrorCode } from '#lib/kernel/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'
import { StatementError } from '#lib/ports/index.ts'

export interface Failure {
  /** A code of the error table, `SQLSTATE_…`, or the name of an unexpected error. */
  readonly code: string
  readonly reason: string
}

/** Classes of SQLSTATE whose messages name objects, roles and resources. Those of others may quote a value. */
const OPEN_CLASSES: ReadonlySet<string> = new Set(['0A', '25', '2B', '3D', '3F', '42', '53', '54', '55', '57', '58'])

/** `codes`: what an SQLSTATE means to the caller. */
export function describeFailure(error: unknown, codes: Readonly<Record<string, ErrorCode>> = {}): Failure {
  if (isBackstopError(error)) return { code: error.code, reason: error.message }
  if (error instanceof StatementError) {
    const { sqlState } = error.failure
    return { code: codes[sqlState] ?? `SQLSTATE_${sqlState}`, reason: describeStatementFailure(error) }
  }
  return { code: error instanceof Error ? error.name : 'BUG', reason: 'unexpected; the log has the details' }
}

export function describeStatementFailure({ failure }: StatementError): string {
  const isOpen = OPEN_CLASSES.has(failure.sqlState.slice(0, 2))
  return isOpen ? `${failure.message} (${failure.sqlState})` : `the server refused with SQLSTATE ${failure.sqlState}`
}
