/** Writes of the port as rows, checked on the caller's thread so that what is invalid never reaches the writer. */
import type { JsonObject } from '#lib/kernel/index.ts'
import { jsonDigest } from '#lib/kernel/index.ts'
import type { RecordInput, RecordWrite } from '#lib/ports/index.ts'
import { encodeRecordBody, keyOfWrite } from '#lib/ports/index.ts'
import type { EncodedWrite, TransactionToken } from './model.ts'

const NO_TAIL: EncodedWrite['tail'] = []

/** Throws RECORD_INVALID, RECORD_TOO_LARGE. */
export function encodeWrite(write: RecordWrite): EncodedWrite {
  const { partition, sort } = keyOfWrite(write)
  const hasRecord = write.kind === 'create' || write.kind === 'replace'
  return {
    kind: write.kind,
    partition,
    sort,
    expectedVersion: write.kind === 'create' ? 0 : write.expectedVersion,
    bodyText: hasRecord ? encodeRecordBody(write.record) : '',
    tail: hasRecord ? encodeTail(write.record) : NO_TAIL,
  }
}

function encodeTail(record: RecordInput): EncodedWrite['tail'] {
  const { index1, index2 } = record.indexes ?? {}
  return [
    record.expiresAtS ?? null,
    index1?.partition ?? null,
    index1?.sort ?? null,
    index2?.partition ?? null,
    index2?.sort ?? null,
  ]
}

export function encodeToken(token: string | undefined, writes: readonly RecordWrite[]): TransactionToken | undefined {
  if (token === undefined) return undefined
  return { token, writesSha256: jsonDigest(writes as unknown as JsonObject[]) }
}
