/** Entries as records: where each one lies, how the newest are found, and which are not sealed yet. */
import type { AuditId, Instant, JsonObject } from '#lib/kernel/index.ts'
import { canonicalJson } from '#lib/kernel/index.ts'
import type { RecordInput, RecordKey, RecordStore, StoredRecord } from '#lib/ports/index.ts'
import type { AuditEntry } from './model.ts'

/** What an event begins with. */
export type Beginning = Extract<AuditEntry, { readonly kind: 'intent' | 'event' }>

/**
 * The newest entries take all writes, and a partition of DynamoDB takes 1,000 units a second. What is open and what is not
 * sealed cost four units each for a statement and are spread over all shards; the timeline costs two and listing it asks each
 * shard for each day, so it has fewer. See docs/decisions/dynamo-keys.md.
 */
export const SHARDS = [...'0123456789abcdef'] as const
export const TIMELINE_SHARDS = SHARDS.slice(0, 4)

/** By the last hexadecimal digit of the id, which is random. */
export function shardOf(id: AuditId): string {
  return id.slice(-1)
}

function timelineShardOf(id: AuditId): string {
  return String(Number.parseInt(shardOf(id), 16) % TIMELINE_SHARDS.length)
}

/** Unique among all entries; sorts an intent before its result. */
export function entryName(entry: { readonly id: AuditId; readonly kind: AuditEntry['kind'] }): string {
  return `${entry.id}#${entry.kind}`
}

/** The ledger's order inside a segment, and of what waits to be sealed. */
export function entryOrder(entry: AuditEntry): string {
  return `${entry.at}#${entryName(entry)}`
}

export function entryText(entry: AuditEntry): string {
  return canonicalJson(entry as unknown as JsonObject)
}

/** `event` and `intent` share the slot of the intent, so that an id has one beginning and one end. */
export function entryKey(id: AuditId, kind: AuditEntry['kind']): RecordKey {
  return { partition: `audit#${id}`, sort: kind === 'event' ? 'intent' : kind }
}

export function openKey(id: AuditId): RecordKey {
  return { partition: openPartition(shardOf(id)), sort: id }
}

export const openPartition = (shard: string): string => `audit-open#${shard}`
export const unsealedPartition = (shard: string): string => `audit-unsealed#${shard}`
export const timelinePartition = (day: string, shard: string): string => `audit-day#${day}#${shard}`

export const dayOf = (instant: Instant): string => instant.slice(0, 10)

/** Only beginnings are on the timeline; their results are found beside them. */
function timelineIndex(entry: AuditEntry) {
  if (entry.kind !== 'intent' && entry.kind !== 'event') return {}
  return {
    index1: {
      partition: timelinePartition(dayOf(entry.at), timelineShardOf(entry.id)),
      sort: `${entry.at}#${entry.id}`,
    },
  }
}

export function buildEntryRecord(entry: AuditEntry): RecordInput {
  const unsealed = { partition: unsealedPartition(shardOf(entry.id)), sort: entryOrder(entry) }
  return {
    key: entryKey(entry.id, entry.kind),
    body: { entry: entry as unknown as JsonObject },
    indexes: { ...timelineIndex(entry), index2: unsealed },
  }
}

/** The same entry once a segment holds it; the store's copy goes when it has served its time. */
export function buildSealedRecord(entry: AuditEntry, sealedIn: number, expiresAtS: number): RecordInput {
  return {
    key: entryKey(entry.id, entry.kind),
    body: { entry: entry as unknown as JsonObject, sealedIn },
    indexes: timelineIndex(entry),
    expiresAtS,
  }
}

export interface StoredEntry {
  readonly entry: AuditEntry
  /** The segment's number; absent: not sealed. */
  readonly sealedIn?: number
  readonly version: number
}

export function decodeEntryRecord(record: StoredRecord): StoredEntry {
  const { entry, sealedIn } = record.body
  return {
    entry: entry as unknown as AuditEntry,
    version: record.version,
    ...(typeof sealedIn === 'number' && { sealedIn }),
  }
}

/** All entries of one event that the record store holds. */
export async function readEvent(records: RecordStore, id: AuditId): Promise<readonly StoredEntry[]> {
  const { partition } = entryKey(id, 'intent')
  return (await records.query({ partition })).records.map(decodeEntryRecord)
}

export async function findEntry(
  records: RecordStore,
  entry: { readonly id: AuditId; readonly kind: AuditEntry['kind'] },
): Promise<StoredEntry | undefined> {
  const record = await records.find(entryKey(entry.id, entry.kind))
  return record && decodeEntryRecord(record)
}
