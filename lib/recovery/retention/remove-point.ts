/** Removes one point so that whatever interrupts it leaves nothing that looks valid and is not. */
import { BackstopError, instantFrom, isBackstopError } from '#lib/kernel/index.ts'
import type { ObjectInfo, ObjectStore, RecoveryPoint } from '#lib/ports/index.ts'
import { snapshotPrefix } from '../manifest/index.ts'
import { keepKeys } from './keep-record.ts'
import type { RetentionPorts } from './model.ts'
import { isUsed } from './use-record.ts'

export interface RemovedObjects {
  readonly objectCount: number
  readonly sizeBytes: number
}

/** False: somebody came to count on it since the plan, or it is not as it was. */
export async function retirePoint(ports: RetentionPorts, point: RecoveryPoint): Promise<boolean> {
  const { snapshotId } = point
  const isRetired = point.status === 'retired' || (await ports.catalog.retire(point, keepKeys(snapshotId)))
  if (!isRetired) return false
  // Whoever begins to read it notes that first and looks at its status then: one of the two sees the other.
  if (!(await isUsed(ports.records, snapshotId, ports.clock.nowMs()))) return true
  await ports.catalog.reinstate(snapshotId)
  return false
}

/**
 * Take the manifest of a retired point away: from then on it is no point any more. Where the storage refuses, the point is
 * offered again as it was, and the refusal thrown.
 */
export async function removeManifest(ports: RetentionPorts, point: RecoveryPoint): Promise<void> {
  if (point.manifestKey === '') return
  try {
    await ports.objects.delete(point.manifestKey)
  } catch (error) {
    const isThere = await ports.objects.find(point.manifestKey).catch(() => undefined)
    if (isThere !== undefined) await ports.catalog.reinstate(point.snapshotId)
    throw error
  }
}

/** What is left of a retired point: its parts, whatever else lies in its folder, and its record last. */
export async function removeRest(ports: RetentionPorts, point: RecoveryPoint): Promise<RemovedObjects> {
  const removed = await removeFolder(ports.objects, snapshotPrefix(point.relation, point.snapshotId))
  await ports.catalog.forget(point.snapshotId)
  // A run that outlived its lease may have met one that offered the point again.
  if ((await ports.catalog.find(point.snapshotId)) !== undefined) {
    const at = instantFrom(ports.clock.nowMs())
    await ports.catalog.quarantine(point.snapshotId, 'its objects were removed by two runs of retention at once', at)
  }
  return removed
}

/** Throws what the storage says to the first object that it keeps. */
export async function removeFolder(objects: ObjectStore, prefix: string): Promise<RemovedObjects> {
  const found = await listFolder(objects, prefix)
  for (const { key } of found) await objects.delete(key)
  const [left] = found.length === 0 ? [] : await listFolder(objects, prefix)
  if (left !== undefined) {
    throw new BackstopError('STORAGE_UNREACHABLE', `the storage says that it removed ${left.key}, and lists it still`)
  }
  return { objectCount: found.length, sizeBytes: found.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
}

async function listFolder(objects: ObjectStore, prefix: string): Promise<readonly ObjectInfo[]> {
  const found: ObjectInfo[] = []
  let cursor: string | undefined
  do {
    const page = await objects.list(prefix, cursor)
    found.push(...page.objects)
    cursor = page.cursor
  } while (cursor !== undefined)
  return found
}

/** A retired point that somebody counts on after all: offered again, if its manifest is still there. */
export async function reinstateWhole(ports: RetentionPorts, point: RecoveryPoint): Promise<boolean> {
  try {
    if ((await ports.objects.find(point.manifestKey)) === undefined) return false
    await ports.catalog.reinstate(point.snapshotId)
    return true
  } catch (error) {
    if (isBackstopError(error, 'SNAPSHOT_MISSING')) return false
    throw error
  }
}
