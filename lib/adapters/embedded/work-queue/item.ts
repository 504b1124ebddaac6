/** Work as records: where an item lies, when it is due, whom it follows, and where the dead ones are. */
import type { JsonObject } from '#lib/kernel/index.ts'
import { instantFrom, sha256Hex } from '#lib/kernel/index.ts'
import type { RecordInput, RecordKey, StoredRecord, WorkItem } from '#lib/ports/index.ts'

/** An item's place in its group. */
export interface GroupPlace {
  readonly partition: string
  /** Ascending as the items were sent. */
  readonly sequence: string
}

export interface QueuedItem {
  readonly id: string
  readonly kind: string
  readonly body: JsonObject
  /** Deliveries so far. */
  readonly attempt: number
  readonly sentAtMs: number
  /** Not before this: the delay of the sender, of a retry, or the end of a lease. */
  readonly dueAtMs: number
  readonly group?: GroupPlace
  readonly correlationId?: string
}

/** `due`: found by time. `waiting`: behind another item of its group. `dead`: out of attempts. */
export type ItemState = 'due' | 'waiting' | 'dead'

export const DEAD_PARTITION = 'work-dead'
export const readyPartition = (kind: string): string => `work-ready#${kind}`
export const itemKey = (id: string): RecordKey => ({ partition: `work#${id}`, sort: 'item' })
export const groupKeyOf = (partition: string): RecordKey => ({ partition, sort: 'group' })

export function groupPartition(kind: string, groupKey: string): string {
  return `work-group#${sha256Hex(JSON.stringify([kind, groupKey]))}`
}

export function dedupeKeyOf(kind: string, dedupeKey: string): RecordKey {
  return { partition: `work-dedupe#${sha256Hex(JSON.stringify([kind, dedupeKey]))}`, sort: 'item' }
}

export function buildItemRecord(item: QueuedItem, state: ItemState): RecordInput {
  const due = { partition: readyPartition(item.kind), sort: `${instantFrom(item.dueAtMs)}#${item.id}` }
  const dead = { partition: DEAD_PARTITION, sort: `${instantFrom(item.sentAtMs)}#${item.id}` }
  const place = item.group && { partition: item.group.partition, sort: item.group.sequence }
  return {
    key: itemKey(item.id),
    body: item as unknown as JsonObject,
    indexes: {
      ...(state === 'due' && { index1: due }),
      ...(state === 'dead' ? { index2: dead } : place && { index2: place }),
    },
  }
}

export function decodeItemRecord(record: StoredRecord): QueuedItem {
  return record.body as unknown as QueuedItem
}

export function toWorkItem({ id, kind, body, attempt, correlationId }: QueuedItem): WorkItem {
  return { id, kind, body, attempt, ...(correlationId !== undefined && { correlationId }) }
}
