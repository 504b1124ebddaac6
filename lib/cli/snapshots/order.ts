/** What commands about one recovery point are told. */
import { BackstopError, type SnapshotId } from '#lib/kernel/index.ts'

/** Throws USAGE_INVALID. */
export function readSnapshotId(written: string | undefined): SnapshotId {
  if (written !== undefined && /^snap_[0-9a-f]{32}$/.test(written)) return written as SnapshotId
  throw new BackstopError('USAGE_INVALID', 'a snapshot id is snap_ and 32 hexadecimal digits')
}

/** Throws USAGE_INVALID. */
export function readReason(written: string): string {
  const reason = written.trim()
  if (reason !== '' && reason.length <= 500) return reason
  throw new BackstopError('USAGE_INVALID', '--reason takes 1 to 500 characters')
}
