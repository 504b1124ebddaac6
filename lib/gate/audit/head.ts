/** The record that names the newest complete segment. */
import type { Instant, Sha256Hex } from '#lib/kernel/index.ts'
import type { RecordKey, RecordStore, RecordWrite } from '#lib/ports/index.ts'
import type { LedgerHead } from './model.ts'
import { NO_SEGMENT } from './segment.ts'

const HEAD_KEY: RecordKey = { partition: 'audit-head', sort: 'head' }

/** The head before anything was sealed. */
export const EMPTY_HEAD: LedgerHead = {
  number: 0,
  sha256: NO_SEGMENT,
  entryCount: 0,
  sealedAt: '1970-01-01T00:00:00.000Z' as Instant,
}

export interface StoredHead {
  readonly head: LedgerHead
  /** True when the anchor outside has taken it. */
  readonly isAnchored: boolean
  /** 0: there is no record yet. */
  readonly version: number
}

export async function readHead(records: RecordStore): Promise<StoredHead> {
  const record = await records.find(HEAD_KEY)
  if (record === undefined) return { head: EMPTY_HEAD, isAnchored: true, version: 0 }
  const { number, sha256, entryCount, sealedAt, isAnchored } = record.body
  return {
    head: {
      number: number as number,
      sha256: sha256 as Sha256Hex,
      entryCount: entryCount as number,
      sealedAt: sealedAt as Instant,
    },
    isAnchored: isAnchored === true,
    version: record.version,
  }
}

/** Compare and set. Throws RECORD_EXISTS, RECORD_CHANGED when another writer was first. */
export async function writeHead(records: RecordStore, next: StoredHead): Promise<StoredHead> {
  const record = { key: HEAD_KEY, body: { ...next.head, isAnchored: next.isAnchored } }
  const write: RecordWrite =
    next.version === 0 ? { kind: 'create', record } : { kind: 'replace', record, expectedVersion: next.version }
  return { ...next, version: await records.write(write) }
}
