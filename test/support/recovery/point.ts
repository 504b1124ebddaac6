/** Recovery points as a test writes them down: only what it cares about. */
import type { Instant, SnapshotId } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'

export function pointOf(id: string, capturedAt: string, changed: Partial<RecoveryPoint> = {}): RecoveryPoint {
  return {
    snapshotId: `snap_${id}` as SnapshotId,
    relation: { schema: 'public', name: 'orders' },
    relationOid: 16_384,
    status: 'valid',
    origin: 'schedule',
    capturedAt: capturedAt as Instant,
    rowCount: 1,
    sizeBytes: 100,
    manifestKey: `snapshots/public/orders/snap_${id}/manifest.json`,
    manifestSha256: '0'.repeat(64),
    ...changed,
  }
}
