/** Items that must be delivered one at a time: one record a group counts them, and only the first of them is ever due. */
import type { RecordInput, RecordStore, RecordWrite } from '#lib/ports/index.ts'
import type { GroupPlace, QueuedItem } from './item.ts'
import { buildItemRecord, decodeItemRecord, groupKeyOf } from './item.ts'

/** What it takes to put one more item at the group's end. */
export interface GroupJoin {
  readonly place: GroupPlace
  readonly isFirst: boolean
  readonly write: RecordWrite
}

function buildGroupRecord(partition: string, next: number, pending: number): RecordInput {
  return { key: groupKeyOf(partition), body: { next, pending } }
}

export async function planJoin(records: RecordStore, partition: string): Promise<GroupJoin> {
  const found = await records.find(groupKeyOf(partition))
  const next = (found?.body['next'] as number | undefined) ?? 1
  const pending = (found?.body['pending'] as number | undefined) ?? 0
  const record = buildGroupRecord(partition, next + 1, pending + 1)
  return {
    place: { partition, sequence: String(next).padStart(15, '0') },
    isFirst: pending === 0,
    write: found ? { kind: 'replace', record, expectedVersion: found.version } : { kind: 'create', record },
  }
}

/** What it takes for an item to leave its group: count it off, and make the next one due. */
export async function planLeave(records: RecordStore, item: QueuedItem): Promise<readonly RecordWrite[]> {
  const partition = item.group?.partition
  if (partition === undefined) return []
  const found = await records.find(groupKeyOf(partition))
  if (found === undefined) return []
  const { next, pending } = found.body as unknown as { next: number; pending: number }
  const expectedVersion = found.version
  if (pending <= 1) return [{ kind: 'delete', key: found.key, expectedVersion }]
  const counted: RecordWrite = {
    kind: 'replace',
    record: buildGroupRecord(partition, next, pending - 1),
    expectedVersion,
  }
  const page = await records.query({ partition, index: 'index2', limit: 2 })
  const follower = page.records.find((record) => decodeItemRecord(record).id !== item.id)
  if (follower === undefined) return [counted]
  const record = buildItemRecord(decodeItemRecord(follower), 'due')
  return [counted, { kind: 'replace', record, expectedVersion: follower.version }]
}
