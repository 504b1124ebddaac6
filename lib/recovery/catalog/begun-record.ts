/** One record per capture that goes on: which point will come of it, should its process end before it can say so. */
import { z } from 'zod'
import type { RelationName, SnapshotId } from '#lib/kernel/index.ts'
import { instantFrom, isBackstopError, SECOND_MS } from '#lib/kernel/index.ts'
import type { RecordKey, RecordStore, RecordWrite } from '#lib/ports/index.ts'

const PARTITION = 'recovery-begun'
/** Longer than any capture takes; those of processes that ended early go away by themselves. */
const KEPT_S = 7 * 86_400

const begunSchema = z.object({
  snapshotId: z.string().transform((text) => text as SnapshotId),
  relation: z.object({ schema: z.string(), name: z.string() }),
  relationOid: z.number().int(),
})

/** What a capture has in hand. */
export interface BegunCapture {
  readonly snapshotId: SnapshotId
  readonly relation: RelationName
  readonly relationOid: number
}

export interface ListedCapture extends BegunCapture {
  readonly key: RecordKey
}

/** Returns where it is noted. Throws `METADATA_UNREACHABLE`. */
export async function beginCapture(records: RecordStore, capture: BegunCapture, nowMs: number): Promise<RecordKey> {
  const key = { partition: PARTITION, sort: `${instantFrom(nowMs)}#${capture.snapshotId}` }
  const body = { ...capture, relation: { ...capture.relation } }
  const expiresAtS = Math.floor(nowMs / SECOND_MS) + KEPT_S
  await records.write({ kind: 'create', record: { key, body, expiresAtS } })
  return key
}

/** The write that ends it: of several that do, one succeeds. It is never replaced, so that it has but one version. */
export function endOfCapture(key: RecordKey): RecordWrite {
  return { kind: 'delete', key, expectedVersion: 1 }
}

/** Idempotent. Throws `METADATA_UNREACHABLE`. */
export async function endCapture(records: RecordStore, key: RecordKey): Promise<void> {
  try {
    await records.write(endOfCapture(key))
  } catch (error) {
    if (!isBackstopError(error, 'RECORD_CHANGED')) throw error
  }
}

/** The newest so many that have not ended. Throws `METADATA_UNREACHABLE`. */
export async function listBegun(records: RecordStore, limit: number): Promise<readonly ListedCapture[]> {
  const page = await records.query({ partition: PARTITION, descending: true, limit })
  return page.records.flatMap(({ key, body }) => {
    const read = begunSchema.safeParse(body)
    return read.success ? [{ ...read.data, key }] : []
  })
}
