/** Finds the manifest of a snapshot by its id: through the catalog, or in the object store where the catalog does not know it. */
import type { SnapshotId } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore, RecoveryPoint } from '#lib/ports/index.ts'
import type { PointCatalog } from './catalog/index.ts'
import { scanPoints } from './catalog/index.ts'
import type { SealedManifest } from './manifest/index.ts'
import { decodeManifest } from './manifest/index.ts'

/** Throws SNAPSHOT_MISSING; SNAPSHOT_CORRUPT for a point that is not valid, or whose manifest is not the one it names. */
export async function readManifest(
  objects: ObjectStore,
  catalog: PointCatalog,
  snapshotId: SnapshotId,
): Promise<SealedManifest> {
  const point = (await catalog.find(snapshotId)) ?? (await findInStore(objects, snapshotId))
  if (point.status !== 'valid') {
    const reason = point.validationError ?? 'no reason was noted'
    throw new BackstopError('SNAPSHOT_CORRUPT', `snapshot ${snapshotId} is ${point.status}: ${reason}`)
  }
  if ((await objects.find(point.manifestKey)) === undefined) {
    throw new BackstopError('SNAPSHOT_CORRUPT', `the manifest of ${snapshotId} is missing`)
  }
  return decodeManifest(await objects.read(point.manifestKey), point.manifestSha256)
}

async function findInStore(objects: ObjectStore, snapshotId: SnapshotId): Promise<RecoveryPoint> {
  const report = await scanPoints(objects)
  const point = report.points.find((candidate) => candidate.snapshotId === snapshotId)
  if (point !== undefined) return point
  const problem = report.problems.find(({ key }) => key.includes(`/${snapshotId}/`))
  if (problem !== undefined)
    throw new BackstopError('SNAPSHOT_CORRUPT', problem.reason, { details: { key: problem.key } })
  throw new BackstopError('SNAPSHOT_MISSING', `there is no snapshot ${snapshotId}`)
}
