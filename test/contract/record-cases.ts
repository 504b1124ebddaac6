/** What the cases of the record store's contract share. */
import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type { ErrorCode } from '#lib/kernel/index.ts'
import type { RecordInput, RecordQuery, RecordStore, RecordWrite, StoredRecord } from '#lib/ports/index.ts'
import type { FixedClock } from '#test/support/fixed-clock.ts'

export interface RecordSubject {
  readonly clock: FixedClock
  /** Open while cases run. */
  store(): RecordStore
}

/** Every page of a query; a page may be short and still be followed by another. */
export async function readAll(store: RecordStore, query: RecordQuery): Promise<StoredRecord[]> {
  const records: StoredRecord[] = []
  let cursor: string | undefined
  do {
    const page = await store.query({ ...query, ...(cursor !== undefined && { cursor }) })
    records.push(...page.records)
    cursor = page.cursor
  } while (cursor !== undefined)
  return records
}

export const newPartition = () => `test#${randomUUID()}`
export const create = (record: RecordInput): RecordWrite => ({ kind: 'create', record })
export const rejects = (promise: Promise<unknown>, code: ErrorCode) =>
  expect(promise).rejects.toMatchObject({ name: 'BackstopError', code })
export const sorts = (records: readonly StoredRecord[]) => records.map((record) => record.key.sort)

export async function fillWith(store: RecordStore, partition: string, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((sort) => store.write(create({ key: { partition, sort }, body: {} }))))
}
