/** Carries out one order for a range, in whatever process: its parts, and the result for the coordinator. */
import { isBackstopError, jsonDigest } from '#lib/kernel/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import { describeFailure } from '../failure.ts'
import type { ImportPorts } from '../snapshot/index.ts'
import { captureImported, discardParts, SNAPSHOT_GONE_STATES } from '../snapshot/index.ts'
import type { RangeResult, RangeWork } from './model.ts'
import { resultOf } from './model.ts'
import type { ResultPorts } from './result-record.ts'
import { findResult, settleOrder } from './result-record.ts'

export type CarryOutPorts = ImportPorts & ResultPorts

/** `stale`: the snapshot is gone, or somebody else has settled the order; nothing of this delivery is kept. */
export interface CarriedOut {
  readonly status: 'captured' | 'misfit' | 'failed' | 'stale'
  readonly rowCount: number
  /** Why, when it failed. */
  readonly reason?: string
}

/**
 * Idempotent: an order that is delivered twice, late, or beside another worker has one result.
 *
 * Effects: parts under the snapshot's prefix, and the record of the result; parts that no result names are removed
 * Throws:  `METADATA_UNREACHABLE`: then the order must be delivered again
 */
export async function carryOutRange(ports: CarryOutPorts, work: RangeWork, signal?: AbortSignal): Promise<CarriedOut> {
  if ((await findResult(ports, work)) !== undefined) return { status: 'stale', rowCount: 0 }
  const result = await capture(ports, work, signal)
  if (result === 'gone') return { status: 'stale', rowCount: 0 }
  const settled = await settleOrder(ports, work, result)
  if (settled !== result && !isSame(settled, result)) {
    if (result.status === 'captured') await discardParts(ports.objects, result.parts)
    return { status: 'stale', rowCount: 0 }
  }
  if (result.status === 'failed') return { status: 'failed', rowCount: 0, reason: `${result.code}: ${result.reason}` }
  if (result.status === 'captured') return { status: 'captured', rowCount: result.rowCount }
  return { status: 'misfit', rowCount: 0 }
}

async function capture(
  ports: CarryOutPorts,
  { snapshotName, order }: RangeWork,
  signal: AbortSignal | undefined,
): Promise<RangeResult | 'gone'> {
  try {
    return resultOf(await captureImported(ports, snapshotName, order, signal))
  } catch (error) {
    if (isBackstopError(error, 'METADATA_UNREACHABLE')) throw error
    if (error instanceof StatementError && SNAPSHOT_GONE_STATES.has(error.failure.sqlState)) return 'gone'
    return { status: 'failed', ...describeFailure(error, { '55P03': 'RANGE_NOT_CAPTURED' }) }
  }
}

/** A write whose answer was lost may have been ours after all. */
function isSame(left: RangeResult, right: RangeResult): boolean {
  return jsonDigest(left) === jsonDigest(right)
}
