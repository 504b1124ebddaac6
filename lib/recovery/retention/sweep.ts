/** Clears folders of captures that never finished: parts without a manifest, long after any capture could still be at it. */

import { MINUTE_MS } from '#lib/kernel/index.ts'
import type { SnapshotFolder } from '../catalog/index.ts'
import { snapshotFolders } from '../catalog/index.ts'
import { describeFailure } from '../failure.ts'
import { isManifestKey } from '../manifest/index.ts'
import type { RetentionFailure, RetentionPorts, SweptFolder } from './model.ts'
import { removeFolder } from './remove-point.ts'

/** By the newest object of the folder. */
export const LEFTOVER_AFTER_MS = 48 * 60 * MINUTE_MS

const SNAPSHOT_FOLDER = /\/(snap_[0-9a-f]{32})\/$/

export interface Sweep {
  readonly swept: readonly SweptFolder[]
  readonly failed: readonly RetentionFailure[]
  readonly skipped: readonly { readonly subject: string; readonly reason: string }[]
}

/** Throws `STORAGE_UNREACHABLE` when the storage cannot be listed. */
export async function sweepLeftovers(ports: RetentionPorts, isDryRun: boolean, signal?: AbortSignal): Promise<Sweep> {
  const swept: SweptFolder[] = []
  const failed: RetentionFailure[] = []
  const skipped: { subject: string; reason: string }[] = []
  let unknown = 0
  for await (const folder of snapshotFolders(ports.objects)) {
    if (signal?.aborted) break
    const verdict = await judgeFolder(ports, folder)
    if (verdict === 'unknown') unknown += 1
    if (verdict === 'foreign') skipped.push({ subject: folder.prefix, reason: 'no capture writes under such a name' })
    if (verdict !== 'leftover') continue
    try {
      swept.push({
        prefix: folder.prefix,
        ...(isDryRun ? sizeOf(folder) : await removeFolder(ports.objects, folder.prefix)),
      })
    } catch (error) {
      failed.push({ subject: folder.prefix, ...describeFailure(error) })
    }
  }
  if (unknown > 0) skipped.push({ subject: `${unknown} snapshots in the storage`, reason: UNKNOWN })
  return { swept, failed, skipped }
}

const UNKNOWN = 'the catalog does not know them, so nothing says what counts on them: they stay'

type Verdict = 'known' | 'unknown' | 'foreign' | 'leftover' | 'young'

async function judgeFolder(ports: RetentionPorts, folder: SnapshotFolder): Promise<Verdict> {
  const id = SNAPSHOT_FOLDER.exec(folder.prefix)?.[1]
  if (id === undefined) return 'foreign'
  const isPoint = folder.objects.some(({ key }) => isManifestKey(key))
  const newestMs = Math.max(...folder.objects.map(({ modifiedAtMs }) => modifiedAtMs))
  if (!isPoint && newestMs > ports.clock.nowMs() - LEFTOVER_AFTER_MS) return 'young'
  // One that the catalog knows is kept for investigation, or is being removed already.
  if ((await ports.catalog.find(id as `snap_${string}`)) !== undefined) return 'known'
  return isPoint ? 'unknown' : 'leftover'
}

function sizeOf({ objects }: SnapshotFolder): Omit<SweptFolder, 'prefix'> {
  return { objectCount: objects.length, sizeBytes: objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
}
