/** Confirms the newest point of a table when the table is still as the point has it: by comparing, without a copy. */
import { instantFrom, isBackstopError } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { CLOCK_SKEW_MS } from '../catalog/index.ts'
import type { Manifest } from '../manifest/index.ts'
import type { StopOptions } from '../stoppable.ts'
import { compareWithPoint } from './compare-with-point.ts'
import type { CaptureOrder, RoundPorts } from './model.ts'
import { readWhole } from './read-whole.ts'

export interface ProvenPoint {
  readonly point: RecoveryPoint
  readonly stateMark: string | null
}

/**
 * Undefined: it is another table, it differs, or the point is not whole; then only a copy helps.
 *
 * Effects: one scan of the table; the point is confirmed as of the moment before its snapshot was taken
 * Throws:  as `compareWithPoint`; `STORAGE_UNREACHABLE`, `METADATA_UNREACHABLE`
 */
export async function proveNewest(
  ports: RoundPorts,
  order: CaptureOrder,
  stop: StopOptions,
): Promise<ProvenPoint | undefined> {
  const nowMs = ports.clock.nowMs()
  const until = instantFrom(nowMs + CLOCK_SKEW_MS)
  const newest = await ports.catalog.findNewestValid(order.relation, until)
  if (newest === undefined || newest.relationOid !== order.relationOid) return undefined
  const manifest = await findWhole(ports, newest, nowMs)
  if (manifest === undefined) return undefined
  const comparison = await compareWithPoint(ports.database, manifest, stop)
  if (!comparison.isEqual) return undefined
  const point = await ports.catalog.confirm(newest.snapshotId, instantFrom(nowMs))
  return point.status === 'valid' ? { point, stateMark: comparison.stateMark } : undefined
}

async function findWhole(ports: RoundPorts, point: RecoveryPoint, nowMs: number): Promise<Manifest | undefined> {
  try {
    return await readWhole(ports, point, nowMs)
  } catch (error) {
    const isDamaged = isBackstopError(error) && error.kind !== 'dependency'
    if (!isDamaged) throw error
    // The next plan reads the same manifest, and sets the point aside with its reason.
    return undefined
  }
}
