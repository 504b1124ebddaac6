/** What a drill is asked for, and the evidence that it leaves. */
import { z } from 'zod'
import type { Instant, JsonObject, RelationName, Sha256Hex, SnapshotId } from '#lib/kernel/index.ts'

export const DRILL_FORMAT = 'backstop-drill'
export const DRILL_VERSION = 2

export const DRILL_KINDS = [
  'table-restore',
  'wal-archive-fetch',
  'pitr-prepare',
  'pitr-restore',
  'logical-backup-restore',
] as const
export type DrillKind = (typeof DRILL_KINDS)[number]

export interface DrillRequest {
  /** Absent: the table that was drilled longest ago. */
  readonly relation?: RelationName
  /** Points with more bytes of parts than this are not restored; 1 GiB when absent. */
  readonly maxBytes?: number
  /** Ends the drill; what it had made is dropped. */
  readonly signal?: AbortSignal
}

const instant = z.string().transform((text) => text as Instant)
const findingSchema = z.object({ subject: z.string(), reason: z.string() })
const stepSchema = z.object({
  name: z.string(),
  status: z.enum(['ok', 'failed']),
  durationMs: z.number(),
  detail: z.string(),
})

export const drillEvidenceSchema = z.object({
  format: z.literal(DRILL_FORMAT),
  /** 1: of a table, without `clusterId` and `facts`. */
  version: z.union([z.literal(1), z.literal(DRILL_VERSION)]),
  drillId: z.string(),
  kind: z.enum(DRILL_KINDS),
  /** `skipped`: nothing was restored, so that nothing is proven. */
  result: z.enum(['ok', 'failed', 'skipped']),
  startedAt: instant,
  finishedAt: instant,
  /** `host:port/name`; `none` where a drill needs no database. */
  database: z.string(),
  /** Of drills of a server. */
  clusterId: z.string().nullable().default(null),
  relation: z.object({ schema: z.string(), name: z.string() }).nullable(),
  snapshotId: z
    .string()
    .transform((text) => text as SnapshotId)
    .nullable(),
  capturedAt: instant.nullable(),
  manifestSha256: z.string().nullable(),
  rowCount: z.number().nullable(),
  sizeBytes: z.number().nullable(),
  /** From the proven manifest to the table with everything rebuilt and compared; null when the restore did not end well. */
  rtoSeconds: z.number().nullable(),
  /** Age of the point when the drill began: what would have been lost. */
  rpoSeconds: z.number().nullable(),
  steps: z.array(stepSchema),
  checked: z.array(z.string()),
  skipped: z.array(findingSchema),
  /** What came back otherwise than it was captured. */
  differences: z.array(findingSchema),
  failure: z.object({ code: z.string(), reason: z.string() }).nullable(),
  /** What each kind says besides: names of files, targets, counts. */
  facts: z
    .record(z.string(), z.json())
    .transform((facts) => facts as JsonObject)
    .default({}),
})

export type DrillEvidence = z.infer<typeof drillEvidenceSchema>
export type DrillStep = z.infer<typeof stepSchema>
export type Finding = z.infer<typeof findingSchema>

export interface StoredDrill {
  readonly evidence: DrillEvidence
  /** Of the canonical JSON of the evidence; the object holds the same figure. */
  readonly sha256: Sha256Hex
  /** Key of the object; null when the object store would not take it. */
  readonly key: string | null
}

export interface DrillFilter {
  /** 1 to 1,000; 100 when absent. */
  readonly limit?: number
  readonly cursor?: string
}

export interface DrillPage {
  /** Newest first. */
  readonly drills: readonly StoredDrill[]
  readonly cursor?: string
}
