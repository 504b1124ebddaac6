/** Sees that everything of a point is where it should be, and sets it aside where it is not. */
import { instantFrom } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { Manifest } from '../manifest/index.ts'
import { decodeManifest } from '../manifest/index.ts'
import type { RoundPorts } from './model.ts'

export const DAMAGED = 'a part is missing or has another size'

/**
 * The proven manifest; undefined: a part is missing or has another size, and the point was set aside.
 *
 * Throws: `SNAPSHOT_CORRUPT`, `MANIFEST_INVALID`, `OBJECT_MISSING` of the manifest; `STORAGE_UNREACHABLE`
 */
export async function readWhole(
  ports: Pick<RoundPorts, 'objects' | 'catalog'>,
  point: RecoveryPoint,
  nowMs: number,
): Promise<Manifest | undefined> {
  const { manifest } = decodeManifest(await ports.objects.read(point.manifestKey), point.manifestSha256)
  for (const part of manifest.parts) {
    const found = await ports.objects.find(part.key)
    if (found?.sizeBytes === part.sizeBytes) continue
    await ports.catalog.quarantine(point.snapshotId, DAMAGED, instantFrom(nowMs))
    return undefined
  }
  return manifest
}
