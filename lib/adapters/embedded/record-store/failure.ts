/** What SQLite says went wrong, as an error of the product. */
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { Failure } from './model.ts'

/** A BackstopError stays what it is; everything else means that the metadata cannot be reached. */
export function asMetadataError(error: unknown): BackstopError {
  if (isBackstopError(error)) return error
  const reason = sqliteReason(error)
  return new BackstopError('METADATA_UNREACHABLE', `the metadata store failed: ${reason}`, {
    cause: error,
    details: { reason },
  })
}

/** The same as plain data, without its cause. */
export function asFailure(error: unknown): Failure {
  const { code, message, details } = asMetadataError(error)
  return { code, message, details }
}

export function asError({ code, message, details }: Failure): BackstopError {
  return new BackstopError(code, message, { details })
}

/** SQLite's fixed text for its result code, such as `database or disk is full`; never a message with values. */
function sqliteReason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure'
  const { errstr, code } = error as { errstr?: unknown; code?: unknown }
  if (typeof errstr === 'string') return errstr
  return typeof code === 'string' ? code : error.name
}
