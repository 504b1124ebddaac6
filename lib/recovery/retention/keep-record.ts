/** Pins and legal holds: a record each beside the point, which no removal can overtake. */
import { z } from 'zod'
import type { Instant, SnapshotId } from '#lib/kernel/index.ts'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { RecordKey, RecordStore } from '#lib/ports/index.ts'
import type { PointCatalog } from '../catalog/index.ts'

const PARTITION = 'recovery-keep'
const PAGE_RECORDS = 1_000

const keepSchema = z.object({
  snapshotId: z.string().transform((text) => text as SnapshotId),
  kind: z.enum(['pin', 'hold']),
  reason: z.string(),
  by: z.string(),
  at: z.string().transform((text) => text as Instant),
})

/** `pin`: whoever may pin may unpin. `hold`: a legal hold, which only its own command lifts. */
export type Keep = z.infer<typeof keepSchema>
export type KeepKind = Keep['kind']

/** Both keys of a point: where neither exists it may be removed. */
export function keepKeys(snapshotId: SnapshotId): readonly RecordKey[] {
  return [keyOf(snapshotId, 'pin'), keyOf(snapshotId, 'hold')]
}

/** Pinning what is pinned changes nothing. Throws SNAPSHOT_MISSING, SNAPSHOT_RETIRED, SNAPSHOT_HELD. */
export async function addKeep(catalog: PointCatalog, records: RecordStore, keep: Keep): Promise<Keep> {
  const key = keyOf(keep.snapshotId, keep.kind)
  if (await catalog.createBeside(keep.snapshotId, { key, body: { ...keep } })) return keep
  const existing = await findKeep(records, key)
  if (existing === undefined) return await refuse(catalog, keep.snapshotId)
  if (keep.kind === 'pin') return existing
  throw new BackstopError('SNAPSHOT_HELD', `${keep.snapshotId} is held since ${existing.at} by ${existing.by}`)
}

/** What is lifted. Throws SNAPSHOT_NOT_KEPT. */
export async function liftKeep(records: RecordStore, snapshotId: SnapshotId, kind: KeepKind): Promise<Keep> {
  const key = keyOf(snapshotId, kind)
  const record = await records.find(key)
  const read = keepSchema.safeParse(record?.body)
  const missing = () =>
    new BackstopError('SNAPSHOT_NOT_KEPT', `there is no ${kind === 'pin' ? 'pin' : 'legal hold'} on ${snapshotId}`)
  if (record === undefined || !read.success) throw missing()
  try {
    await records.write({ kind: 'delete', key, expectedVersion: record.version })
  } catch (error) {
    throw isBackstopError(error, 'RECORD_CHANGED') ? missing() : error
  }
  return read.data
}

/** By snapshot id. */
export async function listKeeps(records: RecordStore): Promise<readonly Keep[]> {
  const keeps: Keep[] = []
  let cursor: string | undefined
  do {
    const from = cursor === undefined ? {} : { cursor }
    const page = await records.query({ partition: PARTITION, limit: PAGE_RECORDS, ...from })
    for (const record of page.records) keeps.push(keepSchema.parse(record.body))
    cursor = page.cursor
  } while (cursor !== undefined)
  return keeps
}

async function findKeep(records: RecordStore, key: RecordKey): Promise<Keep | undefined> {
  const read = keepSchema.safeParse((await records.find(key))?.body)
  return read.success ? read.data : undefined
}

async function refuse(catalog: PointCatalog, snapshotId: SnapshotId): Promise<never> {
  if ((await catalog.find(snapshotId)) === undefined) {
    throw new BackstopError('SNAPSHOT_MISSING', `there is no snapshot ${snapshotId} in the catalog`)
  }
  throw new BackstopError('SNAPSHOT_RETIRED', `${snapshotId} is being removed`)
}

function keyOf(snapshotId: SnapshotId, kind: KeepKind): RecordKey {
  return { partition: PARTITION, sort: `${snapshotId}#${kind}` }
}
