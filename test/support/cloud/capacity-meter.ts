/**
 * What a record store's calls would consume on DynamoDB, counted by partition from what is really read and written.
 *
 * Rules:  a write costs 1 unit per begun KiB of the larger of the item before and after, twice that in a transaction; each
 *         index costs 1 unit per begun KiB of the entry that is written, and of the one that is removed when its key changes;
 *         a strongly consistent read costs 1 unit per begun 4 KiB, a query of an index half a unit. Size is attribute names and
 *         values. An index follows a transaction with ordinary writes
 * Source: Amazon DynamoDB Developer Guide, "Read/write capacity mode", "Global secondary indexes", "Transactions"
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { encodeContent, encodeKey, type Item } from '#lib/adapters/aws/record-store/item.ts'
import type { RecordInput, RecordKey, RecordStore, RecordWrite, StoredRecord } from '#lib/ports/index.ts'

export type Space = 'table' | 'index1' | 'index2'

export interface PartitionUse {
  readonly space: Space
  readonly partition: string
  writes: number
  reads: number
}

export interface CapacityMeter extends RecordStore {
  /** Since the last `take`, by partition. */
  take(): readonly PartitionUse[]
}

const MARKS_BYTES = 'versionnonceborn'.length + 2 + 16 + 16

export function meterCapacity(store: RecordStore): CapacityMeter {
  const items = new Map<string, Item>()
  let uses = new Map<string, PartitionUse>()

  function use(space: Space, partition: string): PartitionUse {
    const name = `${space} ${partition}`
    const known = uses.get(name) ?? { space, partition, writes: 0, reads: 0 }
    uses.set(name, known)
    return known
  }

  function noteWrite(write: RecordWrite, factor: 1 | 2): void {
    const key = write.kind === 'create' || write.kind === 'replace' ? write.record.key : write.key
    const before = items.get(nameOf(key))
    const after = itemAfter(write, before)
    use('table', key.partition).writes += factor * units(Math.max(sizeOf(before), sizeOf(after)))
    if (write.kind === 'check') return
    for (const space of ['index1', 'index2'] as const) noteIndex(space, before, after)
    if (after === undefined) items.delete(nameOf(key))
    else items.set(nameOf(key), after)
  }

  function noteIndex(space: 'index1' | 'index2', before: Item | undefined, after: Item | undefined): void {
    const [from, to] = [indexKeyOf(space, before), indexKeyOf(space, after)]
    if (from !== undefined && from.name !== to?.name) use(space, from.partition).writes += units(sizeOf(before))
    if (to !== undefined) {
      const sizeBytes = from?.name === to.name ? Math.max(sizeOf(before), sizeOf(after)) : sizeOf(after)
      use(space, to.partition).writes += units(sizeBytes)
    }
  }

  return {
    async find(key) {
      const record = await store.find(key)
      use('table', key.partition).reads += Math.max(1, Math.ceil(recordBytes(record) / 4_096))
      return record
    },
    async query(query) {
      const page = await store.query(query)
      const sizeBytes = page.records.reduce((sum, record) => sum + recordBytes(record), 0)
      const blocks = Math.max(1, Math.ceil(sizeBytes / 4_096))
      use(query.index ?? 'table', query.partition).reads += query.index === undefined ? blocks : blocks / 2
      return page
    },
    async write(write) {
      const version = await store.write(write)
      noteWrite(write, write.kind === 'delete' ? 2 : 1)
      return version
    },
    async transact(writes, token) {
      await store.transact(writes, token)
      for (const write of writes) noteWrite(write, 2)
    },
    take() {
      const taken = [...uses.values()]
      uses = new Map()
      return taken
    },
  }
}

const nameOf = ({ partition, sort }: RecordKey) => JSON.stringify([partition, sort])

function itemAfter(write: RecordWrite, before: Item | undefined): Item | undefined {
  if (write.kind === 'delete') return undefined
  return write.kind === 'check' ? before : itemOf(write.record)
}

function itemOf(record: RecordInput): Item {
  return { ...encodeKey(record.key), ...encodeContent(record) }
}

function recordBytes(record: StoredRecord | undefined): number {
  return record === undefined ? 0 : sizeOf(itemOf(record))
}

/** 0 when absent. */
function sizeOf(item: Item | undefined): number {
  if (item === undefined) return 0
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value),
    MARKS_BYTES,
  )
}

function valueBytes({ S: text, N: number }: AttributeValue): number {
  return text !== undefined ? Buffer.byteLength(text) : Math.ceil((number ?? '').length / 2) + 1
}

function units(sizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / 1_024))
}

function indexKeyOf(space: 'index1' | 'index2', item: Item | undefined) {
  const partition = item?.[`${space}pk`]?.S
  return partition === undefined ? undefined : { partition, name: `${partition}\0${item?.[`${space}sk`]?.S}` }
}
