/** Reads one point again, whatever was said of it before: it is set aside, or taken back, for what its own objects say. */
import type { SnapshotId } from '#lib/kernel/index.ts'
import { BackstopError, instantFrom } from '#lib/kernel/index.ts'
import type { Clock, RecordStore, RecoveryPoint } from '#lib/ports/index.ts'
import type { PointCatalog } from '../catalog/index.ts'
import { noteCheck } from '../catalog/index.ts'
import type { CheckedPoint, CheckPointRequest } from './model.ts'
import type { PointVerdict, ReadPorts } from './read-point.ts'
import { judgePoint } from './read-point.ts'

export interface CheckPointPorts extends ReadPorts {
  readonly records: RecordStore
  readonly catalog: PointCatalog
  readonly clock: Clock
  /** Nobody removes the point while the work runs. */
  whileInUse<T>(snapshotId: SnapshotId, work: () => Promise<T>): Promise<T>
}

/**
 * Invariants: a point that was set aside is offered again only when it was asked for, and every byte has proven right against the
 *             digest that the catalog noted at its capture; a storage that does not answer changes nothing
 * Throws:     `SNAPSHOT_MISSING`, `SNAPSHOT_RETIRED`, `RUN_STOPPED`, `METADATA_UNREACHABLE`
 */
export async function checkOne(ports: CheckPointPorts, request: CheckPointRequest): Promise<CheckedPoint> {
  const { snapshotId } = request
  return await ports.whileInUse(snapshotId, async () => {
    const point = await ports.catalog.find(snapshotId)
    if (point === undefined) throw new BackstopError('SNAPSHOT_MISSING', `there is no snapshot ${snapshotId}`)
    if (point.status === 'retired') throw new BackstopError('SNAPSHOT_RETIRED', `${snapshotId} is being removed`)
    const { verdict, bytes } = await read(ports, point, request)
    return { ...(await follow(ports, point, verdict, request.isReinstating === true)), verdict, bytes }
  })
}

async function read(ports: ReadPorts, point: RecoveryPoint, { signal, onBytes }: CheckPointRequest) {
  let bytes = 0
  // Its table could not be stored exactly: there is nothing to read.
  if (point.status === 'invalid') return { verdict: { kind: 'corrupt', reason: reasonOf(point) } as const, bytes }
  const verdict = await judgePoint(ports, point, (count) => {
    bytes += count
    if (signal?.aborted) throw new BackstopError('RUN_STOPPED', 'the check was stopped')
    onBytes?.(bytes)
  })
  return { verdict, bytes }
}

async function follow(
  { catalog, records, clock }: CheckPointPorts,
  point: RecoveryPoint,
  verdict: PointVerdict,
  isReinstating: boolean,
): Promise<Pick<CheckedPoint, 'point' | 'change'>> {
  const at = instantFrom(clock.nowMs())
  const { snapshotId, status } = point
  if (verdict.kind === 'corrupt' && status === 'valid') {
    const changed = await catalog.quarantine(snapshotId, verdict.reason, at)
    await noteCheck(records, snapshotId, undefined)
    return { point: changed, change: changed.status === 'quarantined' ? 'set-aside' : 'none' }
  }
  if (verdict.kind === 'whole' && status === 'valid') {
    await noteCheck(records, snapshotId, { lookedAt: at, verifiedAt: at })
  }
  if (verdict.kind !== 'whole' || status !== 'quarantined' || !isReinstating) return { point, change: 'none' }
  const changed = await catalog.readmit(point, at)
  return { point: changed, change: changed.status === 'valid' ? 'reinstated' : 'none' }
}

function reasonOf({ validationError }: RecoveryPoint): string {
  return validationError ?? 'no reason was noted'
}
