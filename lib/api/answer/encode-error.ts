/** Turn any error into the answer that the caller sees. */
import type { ErrorCode } from '#lib/kernel/index.ts'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { Answer } from './model.ts'
import { jsonAnswer } from './model.ts'

/** Statuses that HTTP wants more exactly than the error's kind says. */
const STATUSES: Partial<Record<ErrorCode, number>> = { METHOD_NOT_ALLOWED: 405, MEDIA_TYPE_UNSUPPORTED: 415 }
/** Names that the public pages fix; every other error goes by its code in lower case. */
const NAMES: Partial<Record<ErrorCode, string>> = {
  APPROVAL_MISSING: 'approval ID not found',
  APPROVAL_SELF: 'self_approval',
}

export function errorName(error: BackstopError): string {
  return NAMES[error.code] ?? error.code.toLowerCase()
}

function errorStatus(error: BackstopError): number {
  return STATUSES[error.code] ?? error.httpStatus
}

/** Anything without a code is a defect, and its text stays inside. */
export function asBackstopError(error: unknown): BackstopError {
  return isBackstopError(error) ? error : new BackstopError('BUG', 'internal error', { cause: error })
}

export function scopeError(scope: string): BackstopError {
  return new BackstopError('INSUFFICIENT_SCOPE', `Token does not have ${scope} scope`, {
    details: { requiredScope: scope },
  })
}

function headersFor(error: BackstopError): Readonly<Record<string, string>> {
  const { retryAfterSeconds, allow } = error.details
  const headers: Record<string, string> = {}
  if (error.kind === 'unauthenticated') headers['www-authenticate'] = 'Bearer realm="backstop"'
  if (typeof retryAfterSeconds === 'number') headers['retry-after'] = String(retryAfterSeconds)
  if (error.code === 'SHUTTING_DOWN') headers['retry-after'] = '1'
  if (typeof allow === 'string') headers['allow'] = allow
  return headers
}

/** The first decision, for whoever came second. */
function decidedFields(error: BackstopError) {
  const { approvalId, outcome, decidedAt, decidedBy } = error.details
  return {
    status: outcome ?? null,
    approval_id: approvalId ?? null,
    decided_at: decidedAt ?? null,
    decided_by: decidedBy ?? null,
  }
}

/**
 * Encode an error.
 *
 * Invariants: INSUFFICIENT_SCOPE has exactly the three fields of the public page; nothing of a defect's text is shown
 */
export function encodeError(error: BackstopError, correlationId: string): Answer {
  const name = errorName(error)
  if (error.code === 'INSUFFICIENT_SCOPE') {
    return jsonAnswer(403, { error: name, message: error.message, required_scope: error.details['requiredScope'] })
  }
  const body = {
    error: name,
    message: error.message,
    ...(error.code === 'APPROVAL_DECIDED' ? decidedFields(error) : {}),
    hint: error.hint,
    correlation_id: correlationId,
  }
  return jsonAnswer(errorStatus(error), body, headersFor(error))
}
