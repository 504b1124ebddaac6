/** The port's conflict for a write whose condition was not met. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { RecordWrite } from '#lib/ports/index.ts'

export function recordConflict(write: RecordWrite): BackstopError {
  if (write.kind === 'create') return new BackstopError('RECORD_EXISTS', 'a record with this key exists')
  const { expectedVersion } = write
  return new BackstopError('RECORD_CHANGED', `the record does not have version ${expectedVersion}`, {
    details: { expectedVersion },
  })
}
