/** One recovery point read again by hand; that it is to be offered again is audited. */
import type { AuditLedger } from '#lib/gate/index.ts'
import type { SnapshotId } from '#lib/kernel/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'
import type { CheckedPoint, CheckPointRequest } from '#lib/recovery/index.ts'
import type { Parts } from './model.ts'

type CheckParts = Pick<Parts, 'recovery'> & { readonly ledger: AuditLedger }

export interface ReinstateOrder extends Omit<CheckPointRequest, 'isReinstating'> {
  readonly snapshotId: SnapshotId
  readonly reason: string
  readonly by: string
}

/**
 * Offer a point again that was set aside, if every byte of it proves right. Written down before it is done, and what came of it after.
 *
 * Throws: `SNAPSHOT_MISSING`, `SNAPSHOT_RETIRED`, `AUDIT_UNAVAILABLE`
 */
export async function reinstatePoint(parts: CheckParts, order: ReinstateOrder): Promise<CheckedPoint> {
  const { reason, by, ...request } = order
  const facts = { snapshotId: order.snapshotId, reason }
  const id = await parts.ledger.begin({ action: 'snapshot-reinstated', principal: by, facts })
  try {
    const checked = await parts.recovery.checkPoint({ ...request, isReinstating: true })
    const isOffered = checked.point.status === 'valid'
    const refusal = checked.verdict.kind === 'unknown' ? 'STORAGE_UNREACHABLE' : 'SNAPSHOT_CORRUPT'
    await parts.ledger.finish(id, isOffered ? { outcome: 'recorded' } : { outcome: 'failed', errorCode: refusal })
    return checked
  } catch (error) {
    await parts.ledger.finish(id, { outcome: 'failed', errorCode: isBackstopError(error) ? error.code : 'BUG' })
    throw error
  }
}
