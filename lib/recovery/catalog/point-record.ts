/** Recovery points as records, and back. */
import { z } from 'zod'
import type { Instant, RelationName, SnapshotId } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { RecordInput, RecordKey, RecoveryPoint, StoredRecord } from '#lib/ports/index.ts'
import type { Manifest } from '../manifest/index.ts'
import { encodeSegment } from '../manifest/index.ts'

/** Partition of index1: every point by time. */
export const ALL_POINTS = 'recovery-point'

const instant = z.string().transform((text) => text as Instant)
const pointSchema = z.object({
  snapshotId: z.string().transform((text) => text as SnapshotId),
  relation: z.object({ schema: z.string(), name: z.string() }),
  relationOid: z.number(),
  status: z.enum(['valid', 'invalid', 'quarantined', 'retired']),
  validationError: z.string().optional(),
  quarantinedAt: instant.optional(),
  retiredFrom: z.enum(['valid', 'invalid', 'quarantined']).optional(),
  origin: z.enum(['schedule', 'demand', 'final', 'manual']),
  capturedAt: instant,
  confirmedAt: instant.optional(),
  rowCount: z.number(),
  sizeBytes: z.number(),
  setId: z.string().optional(),
  manifestKey: z.string(),
  manifestSha256: z.string(),
})

export function tablePartition(relation: RelationName): string {
  return `recovery-point/${encodeSegment(relation.schema)}/${encodeSegment(relation.name)}`
}

export function idPartition(snapshotId: string): string {
  return `recovery-point-id/${snapshotId}`
}

export function pointKey(point: RecoveryPoint): RecordKey {
  return { partition: tablePartition(point.relation), sort: sortOf(point) }
}

export function encodePoint(point: RecoveryPoint): RecordInput {
  return {
    key: pointKey(point),
    body: { ...point, relation: { ...point.relation } },
    indexes: {
      index1: { partition: ALL_POINTS, sort: sortOf(point) },
      index2: { partition: idPartition(point.snapshotId), sort: point.snapshotId },
    },
  }
}

export function decodePoint(record: StoredRecord): RecoveryPoint {
  const result = pointSchema.safeParse(record.body)
  if (!result.success)
    throw new BackstopError('RECORD_INVALID', `the record ${record.key.sort} is not a recovery point`)
  // Members that a record lacks are absent here too, never undefined.
  return result.data as RecoveryPoint
}

/** The point that a trusted manifest describes. */
export function pointFromManifest(manifest: Manifest, manifestKey: string, manifestSha256: string): RecoveryPoint {
  return {
    snapshotId: manifest.snapshotId,
    relation: manifest.relation,
    relationOid: manifest.relationOid,
    status: 'valid',
    origin: manifest.origin,
    capturedAt: manifest.capturedAt as Instant,
    ...(manifest.setId === undefined ? {} : { setId: manifest.setId }),
    rowCount: manifest.content.rowCount,
    sizeBytes: manifest.parts.reduce((sum, part) => sum + part.sizeBytes, 0),
    manifestKey,
    manifestSha256,
  }
}

/** After every point of that instant: ids are plain ASCII. */
export function latestSort(until: Instant): string {
  return `${until}#~`
}

/** ISO instants sort by their text. */
function sortOf(point: RecoveryPoint): string {
  return `${point.capturedAt}#${point.snapshotId}`
}
