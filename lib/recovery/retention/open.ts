/** Retention, and keeping by hand, over the ports of the slice. */
import type { Instant, SnapshotId } from '#lib/kernel/index.ts'
import { instantFrom } from '#lib/kernel/index.ts'
import { readClockState } from './clock-doubt.ts'
import type { Keep, KeepKind } from './keep-record.ts'
import { addKeep, liftKeep, listKeeps } from './keep-record.ts'
import type { RetentionPorts, RetentionReport, RetentionRequest } from './model.ts'
import { runRetention } from './run.ts'

export interface Retention {
  /** Remove what the policy does not keep. What the storage refuses is in the report. Throws METADATA_UNREACHABLE, STORAGE_UNREACHABLE. */
  retain(request: RetentionRequest): Promise<RetentionReport>
  /** When a run was last allowed to remove. */
  findLastRetentionAt(): Promise<Instant | undefined>
  /** Pin a point, or put it under a legal hold. Throws SNAPSHOT_MISSING, SNAPSHOT_RETIRED, SNAPSHOT_HELD. */
  keep(keep: Omit<Keep, 'at'>): Promise<Keep>
  /** Throws SNAPSHOT_NOT_KEPT. */
  liftKeep(snapshotId: SnapshotId, kind: KeepKind): Promise<Keep>
  listKeeps(): Promise<readonly Keep[]>
}

export function openRetention(ports: RetentionPorts): Retention {
  const { catalog, records, clock } = ports
  return {
    retain: (request) => runRetention(ports, request),
    findLastRetentionAt: async () => (await readClockState(records)).runAt,
    keep: (keep) => addKeep(catalog, records, { ...keep, at: instantFrom(clock.nowMs()) }),
    liftKeep: (snapshotId, kind) => liftKeep(records, snapshotId, kind),
    listKeeps: () => listKeeps(records),
  }
}
