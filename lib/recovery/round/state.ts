/** One record per table says who captures it now, which order was done last and whether the last capture failed. */
import { z } from 'zod'
import type { Instant, RelationName, SnapshotId } from '#lib/kernel/index.ts'
import { epochMsOf, quoteRelation, retryConflicts, SECOND_MS } from '#lib/kernel/index.ts'
import type { RecordKey, RecordStore } from '#lib/ports/index.ts'
import { CLOCK_SKEW_MS } from '../catalog/index.ts'
import { encodeSegment } from '../manifest/index.ts'

const PARTITION = 'recovery-capture'
const PAGE_RECORDS = 1_000
/** Long after anybody needs it: records of tables that are no more go away by themselves. */
const KEPT_S = 30 * 86_400

/** Renewed every third of it while the capture runs. */
export const LEASE_MS = 30 * SECOND_MS

const instant = z.string().transform((text) => text as Instant)
const stateSchema = z.object({
  relation: z.object({ schema: z.string(), name: z.string() }),
  lease: z.object({ holder: z.string(), startedAt: instant, until: instant }).optional(),
  done: z
    .object({ dedupeKey: z.string(), snapshotId: z.string().transform((text) => text as SnapshotId), at: instant })
    .optional(),
  /** What is known about the newest point beyond its manifest. */
  proof: z
    .object({
      snapshotId: z.string().transform((text) => text as SnapshotId),
      /** Of the snapshot in which the table was last found equal; null when that tells nothing. */
      stateMark: z.string().nullable(),
      /** The server's counters when the point was captured or last found equal. */
      counters: z.string().optional(),
      /** How many times in a row the table was compared and found equal. */
      timesEqual: z.number().int(),
    })
    .optional(),
  failure: z.object({ code: z.string(), reason: z.string(), at: instant, times: z.number().int() }).optional(),
})

export type CaptureState = z.infer<typeof stateSchema>

/** By quoted name. A record that makes no sense counts as absent. */
export async function readStates(records: RecordStore): Promise<ReadonlyMap<string, CaptureState>> {
  const states = new Map<string, CaptureState>()
  let cursor: string | undefined
  do {
    const from = cursor === undefined ? {} : { cursor }
    const page = await records.query({ partition: PARTITION, limit: PAGE_RECORDS, ...from })
    for (const record of page.records) {
      const read = stateSchema.safeParse(record.body)
      if (read.success) states.set(quoteRelation(read.data.relation), read.data)
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  return states
}

/**
 * Change a table's state atomically; `change` is asked again when another write came between, and returns the state that is
 * to be, or undefined to leave it.
 */
export async function changeState(
  records: RecordStore,
  relation: RelationName,
  nowMs: number,
  change: (state: CaptureState) => Promise<CaptureState | undefined> | CaptureState | undefined,
): Promise<void> {
  const key = keyOf(relation)
  await retryConflicts(async () => {
    const current = await records.find(key)
    const read = stateSchema.safeParse(current?.body)
    const next = await change(read.success ? read.data : { relation: { ...relation } })
    if (next === undefined) return
    const record = { key, body: { ...next }, expiresAtS: Math.floor(nowMs / SECOND_MS) + KEPT_S }
    if (current === undefined) await records.write({ kind: 'create', record })
    else await records.write({ kind: 'replace', record, expectedVersion: current.version })
  })
}

/** A lease that ends further away than any lease can was written by a wrong clock. */
export function isLeaseLive(state: CaptureState | undefined, nowMs: number): boolean {
  if (state?.lease === undefined) return false
  const leftMs = epochMsOf(state.lease.until) - nowMs
  return leftMs > 0 && leftMs <= LEASE_MS + CLOCK_SKEW_MS
}

function keyOf(relation: RelationName): RecordKey {
  return { partition: PARTITION, sort: `${encodeSegment(relation.schema)}/${encodeSegment(relation.name)}` }
}
