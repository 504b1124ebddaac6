/** Recovery points for programs, with the field names of `GET /metadata/snapshots`, and for people. */
import { displayRelation, epochMsOf } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { Block } from '../terminal/index.ts'
import { formatBytes, formatDuration, stateCell } from '../terminal/index.ts'

export function pointData(point: RecoveryPoint, nowMs: number) {
  return {
    snapshot_id: point.snapshotId,
    schema: point.relation.schema,
    table: point.relation.name,
    status: point.status,
    validation_error: point.validationError ?? null,
    origin: point.origin,
    timestamp: point.capturedAt,
    age_seconds: Math.max(0, Math.floor((nowMs - epochMsOf(point.capturedAt)) / 1_000)),
    row_count: point.rowCount,
    size_bytes: point.sizeBytes,
    set_id: point.setId ?? null,
    manifest_key: point.manifestKey,
    manifest_sha256: point.manifestSha256,
  }
}

export function pointTable(points: readonly RecoveryPoint[], nowMs: number, whenEmpty: string): Block {
  return {
    kind: 'table',
    columns: [
      { title: 'snapshot' },
      { title: 'table' },
      { title: 'status' },
      { title: 'origin' },
      { title: 'captured at' },
      { title: 'age', isRight: true },
      { title: 'rows', isRight: true },
      { title: 'size', isRight: true },
    ],
    rows: points.map((point) => [
      point.snapshotId,
      displayRelation(point.relation),
      stateCell(point.status),
      point.origin,
      point.capturedAt,
      formatDuration(nowMs - epochMsOf(point.capturedAt)),
      String(point.rowCount),
      formatBytes(point.sizeBytes),
    ]),
    whenEmpty,
  }
}
