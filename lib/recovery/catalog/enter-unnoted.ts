/** Enters points whose capture has written everything, and ended before it could note them. */
import { isBackstopError, MINUTE_MS } from '#lib/kernel/index.ts'
import type { Clock, ObjectInfo, ObjectStore, RecordStore, RecoveryPoint } from '#lib/ports/index.ts'
import { manifestKey, snapshotPrefix } from '../manifest/index.ts'
import type { ListedCapture } from './begun-record.ts'
import { endCapture, endOfCapture, listBegun } from './begun-record.ts'
import type { PointCatalog } from './point-catalog.ts'
import { listAll, readPoint } from './scan.ts'

/** Until then its own capture may be reading the manifest back, and take it away again. */
const SETTLED_AFTER_MS = 5 * MINUTE_MS
/** A look at one is a request to the storage. Each was among the newest in the first rounds after its end. */
const MOST_LOOKED_AT = 200

export interface EnterPorts {
  readonly objects: ObjectStore
  readonly records: RecordStore
  readonly catalog: PointCatalog
  readonly clock: Clock
}

/**
 * Look for the manifest of each capture that was begun and has not ended. It is written after every part was read back, so that
 * a manifest that proves itself, of the relation that the capture had in hand, with its parts in place, is a point like any other.
 * Whatever is not whole is left as it is.
 *
 * Effects: a point and the end of its capture are one transaction: whatever becomes of it later, it is not entered twice
 * Throws:  `METADATA_UNREACHABLE`; a storage out of reach ends the look
 */
export async function enterUnnoted(ports: EnterPorts): Promise<readonly RecoveryPoint[]> {
  const entered: RecoveryPoint[] = []
  try {
    for (const begun of await listBegun(ports.records, MOST_LOOKED_AT)) {
      const point = await findWhole(ports, begun)
      if (point === undefined) continue
      if (await ports.catalog.addWith(point, endOfCapture(begun.key))) entered.push(point)
      else await endCapture(ports.records, begun.key)
    }
  } catch (error) {
    if (!isBackstopError(error) || error.code === 'METADATA_UNREACHABLE') throw error
  }
  return entered
}

async function findWhole(ports: EnterPorts, begun: ListedCapture): Promise<RecoveryPoint | undefined> {
  const { relation, relationOid, snapshotId } = begun
  const key = manifestKey(relation, snapshotId)
  const manifest = await ports.objects.find(key)
  if (manifest === undefined || ports.clock.nowMs() - manifest.modifiedAtMs < SETTLED_AFTER_MS) return undefined
  const siblings: ObjectInfo[] = []
  for await (const object of listAll(ports.objects, snapshotPrefix(relation, snapshotId))) siblings.push(object)
  const outcome = await readPoint(ports.objects, key, siblings)
  return 'code' in outcome || outcome.relationOid !== relationOid ? undefined : outcome
}
