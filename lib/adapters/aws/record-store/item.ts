/** A record as an item of the table, and back. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { JsonObject } from '#lib/kernel/index.ts'
import type { RecordInput, RecordKey, StoredRecord } from '#lib/ports/index.ts'
import { encodeRecordBody } from '#lib/ports/index.ts'

export type Item = Record<string, AttributeValue>

/** Attributes that a record may lack. */
export const OPTIONAL_ATTRIBUTES = ['index1pk', 'index1sk', 'index2pk', 'index2sk', 'expiresAtS'] as const

export function encodeKey(key: RecordKey): Item {
  return { pk: { S: key.partition }, sk: { S: key.sort } }
}

/** Everything but the key, the version and the marks of the write. Throws RECORD_TOO_LARGE, RECORD_INVALID. */
export function encodeContent(record: RecordInput): Item {
  const { index1, index2 } = record.indexes ?? {}
  return {
    body: { S: encodeRecordBody(record) },
    ...(index1 && { index1pk: { S: index1.partition }, index1sk: { S: index1.sort } }),
    ...(index2 && { index2pk: { S: index2.partition }, index2sk: { S: index2.sort } }),
    ...(record.expiresAtS !== undefined && { expiresAtS: { N: String(record.expiresAtS) } }),
  }
}

export function decodeItem(item: Item): StoredRecord {
  const index1 = decodeIndexKey(item, 'index1')
  const index2 = decodeIndexKey(item, 'index2')
  const expiresAtS = item['expiresAtS']?.N
  return {
    key: { partition: textOf(item, 'pk'), sort: textOf(item, 'sk') },
    version: Number(item['version']?.N),
    body: JSON.parse(textOf(item, 'body')) as JsonObject,
    ...((index1 || index2) && { indexes: { ...(index1 && { index1 }), ...(index2 && { index2 }) } }),
    ...(expiresAtS !== undefined && { expiresAtS: Number(expiresAtS) }),
  }
}

function decodeIndexKey(item: Item, index: 'index1' | 'index2'): RecordKey | undefined {
  const partition = item[`${index}pk`]?.S
  return partition === undefined ? undefined : { partition, sort: textOf(item, `${index}sk`) }
}

function textOf(item: Item, name: string): string {
  return item[name]?.S ?? ''
}

/** Time to live removes an expired item some time later; until then it is there and must not be seen. */
export function isLive(item: Item, nowS: number): boolean {
  const expiresAtS = item['expiresAtS']?.N
  return expiresAtS === undefined || Number(expiresAtS) > nowS
}
