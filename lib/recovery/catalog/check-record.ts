/** One record per valid point that says when its objects were last read again, in the order in which they are due. */
import { z } from 'zod'
import type { Instant, SnapshotId } from '#lib/kernel/index.ts'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { RecordInput, RecordKey, RecordStore, StoredRecord } from '#lib/ports/index.ts'

/** Partition of index1: every check by the time of its last one. */
const ALL_CHECKS = 'recovery-check'
const PAGE_RECORDS = 100

const instant = z.string().transform((text) => text as Instant)
const checkSchema = z.object({
  snapshotId: z.string().transform((text) => text as SnapshotId),
  /** The last time that a check came to this point, whatever came of it. */
  lookedAt: instant,
  /** The last time that everything was read and found whole; the capture counts as the first time. */
  verifiedAt: instant,
})

export type PointCheck = z.infer<typeof checkSchema>

export function encodeCheck(check: PointCheck): RecordInput {
  return {
    key: checkKey(check.snapshotId),
    body: { ...check },
    indexes: { index1: { partition: ALL_CHECKS, sort: `${check.lookedAt}#${check.snapshotId}` } },
  }
}

/** Least recently looked at first; a point that was looked at meanwhile may come again at the end. */
export async function* listDueChecks(records: RecordStore): AsyncGenerator<PointCheck> {
  let cursor: string | undefined
  do {
    const from = cursor === undefined ? {} : { cursor }
    const page = await records.query({ partition: ALL_CHECKS, index: 'index1', limit: PAGE_RECORDS, ...from })
    for (const record of page.records) yield decodeCheck(record)
    cursor = page.cursor
  } while (cursor !== undefined)
}

/** `check` undefined: the point needs none any more. Of two checks of one point either's word will do. */
export async function noteCheck(
  records: RecordStore,
  snapshotId: SnapshotId,
  check: Omit<PointCheck, 'snapshotId'> | undefined,
): Promise<void> {
  const key = checkKey(snapshotId)
  const current = await records.find(key)
  if (current === undefined) return
  const expectedVersion = current.version
  try {
    if (check === undefined) await records.write({ kind: 'delete', key, expectedVersion })
    else await records.write({ kind: 'replace', record: encodeCheck({ snapshotId, ...check }), expectedVersion })
  } catch (error) {
    if (!isBackstopError(error, 'RECORD_CHANGED')) throw error
  }
}

function checkKey(snapshotId: SnapshotId): RecordKey {
  return { partition: `recovery-check/${snapshotId}`, sort: 'check' }
}

function decodeCheck(record: StoredRecord): PointCheck {
  const read = checkSchema.safeParse(record.body)
  if (read.success) return read.data
  throw new BackstopError('RECORD_INVALID', `the record ${record.key.partition} is not a check of a recovery point`)
}
