/** One write against the record table: its condition and its effect are one statement, so it happens entirely or not at all. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { BackstopError } from '#lib/kernel/index.ts'
import type { RecordInput, RecordKey, RecordWrite } from '#lib/ports/index.ts'

/** A write whose body is already text. */
export interface EncodedWrite {
  readonly write: RecordWrite
  readonly bodyText: string
}

const COLUMNS =
  'partition, sort, version, body, expires_at_s, index1_partition, index1_sort, index2_partition, index2_sort'

/** A record that has expired but is not swept yet gives way to a new one. */
const CREATE = `
  INSERT INTO record (${COLUMNS}) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (partition, sort) DO UPDATE SET version = 1, body = excluded.body, expires_at_s = excluded.expires_at_s,
    index1_partition = excluded.index1_partition, index1_sort = excluded.index1_sort,
    index2_partition = excluded.index2_partition, index2_sort = excluded.index2_sort
  WHERE record.expires_at_s <= ?`
const REPLACE = `
  UPDATE record SET version = version + 1, body = ?, expires_at_s = ?,
    index1_partition = ?, index1_sort = ?, index2_partition = ?, index2_sort = ?
  WHERE partition = ? AND sort = ? AND version = ? AND (expires_at_s IS NULL OR expires_at_s > ?)`
const DELETE = `
  DELETE FROM record WHERE partition = ? AND sort = ? AND version = ? AND (expires_at_s IS NULL OR expires_at_s > ?)`
const VERSION = `
  SELECT version FROM record WHERE partition = ? AND sort = ? AND (expires_at_s IS NULL OR expires_at_s > ?)`

export class WriteApplier {
  readonly #create: StatementSync
  readonly #replace: StatementSync
  readonly #delete: StatementSync
  readonly #version: StatementSync

  constructor(database: DatabaseSync) {
    this.#create = database.prepare(CREATE)
    this.#replace = database.prepare(REPLACE)
    this.#delete = database.prepare(DELETE)
    this.#version = database.prepare(VERSION)
  }

  /** Returns the record's new version. Throws RECORD_EXISTS, RECORD_CHANGED. */
  apply({ write, bodyText }: EncodedWrite, nowS: number): number {
    switch (write.kind) {
      case 'create':
        return this.#applyCreate(write.record, bodyText, nowS)
      case 'replace':
        return this.#applyReplace(write.record, bodyText, write.expectedVersion, nowS)
      case 'delete':
        return this.#applyDelete(write.key, write.expectedVersion, nowS)
      case 'check':
        return this.#applyCheck(write.key, write.expectedVersion, nowS)
    }
  }

  #applyCreate(record: RecordInput, bodyText: string, nowS: number): number {
    const { partition, sort } = record.key
    const { changes } = this.#create.run(partition, sort, bodyText, ...tailColumns(record), nowS)
    if (changes !== 1) throw new BackstopError('RECORD_EXISTS', 'a record with this key exists')
    return 1
  }

  #applyReplace(record: RecordInput, bodyText: string, expectedVersion: number, nowS: number): number {
    const { partition, sort } = record.key
    const { changes } = this.#replace.run(bodyText, ...tailColumns(record), partition, sort, expectedVersion, nowS)
    if (changes !== 1) throw changed(expectedVersion)
    return expectedVersion + 1
  }

  #applyDelete(key: RecordKey, expectedVersion: number, nowS: number): number {
    const { changes } = this.#delete.run(key.partition, key.sort, expectedVersion, nowS)
    if (changes !== 1) throw changed(expectedVersion)
    return 0
  }

  #applyCheck(key: RecordKey, expectedVersion: number, nowS: number): number {
    const found = this.#version.get(key.partition, key.sort, nowS)?.['version'] ?? 0
    if (found !== expectedVersion) throw changed(expectedVersion)
    return expectedVersion
  }
}

function tailColumns(record: RecordInput): SQLInputValue[] {
  const { index1, index2 } = record.indexes ?? {}
  return [
    record.expiresAtS ?? null,
    index1?.partition ?? null,
    index1?.sort ?? null,
    index2?.partition ?? null,
    index2?.sort ?? null,
  ]
}

function changed(expectedVersion: number): BackstopError {
  return new BackstopError('RECORD_CHANGED', `the record does not have version ${expectedVersion}`, {
    details: { expectedVersion },
  })
}
