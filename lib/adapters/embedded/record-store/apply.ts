/** One write against the record table: its condition and its effect are one statement, so it happens entirely or not at all. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { BackstopError } from '#lib/kernel/index.ts'
import type { EncodedWrite } from './model.ts'

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
  apply(write: EncodedWrite, nowS: number): number {
    switch (write.kind) {
      case 'create':
        return this.#applyCreate(write, nowS)
      case 'replace':
        return this.#applyReplace(write, nowS)
      case 'delete':
        return this.#applyDelete(write, nowS)
      case 'check':
        return this.#applyCheck(write, nowS)
    }
  }

  #applyCreate({ partition, sort, bodyText, tail }: EncodedWrite, nowS: number): number {
    const { changes } = this.#create.run(partition, sort, bodyText, ...tail, nowS)
    if (changes !== 1) throw new BackstopError('RECORD_EXISTS', 'a record with this key exists')
    return 1
  }

  #applyReplace({ partition, sort, bodyText, tail, expectedVersion }: EncodedWrite, nowS: number): number {
    const { changes } = this.#replace.run(bodyText, ...tail, partition, sort, expectedVersion, nowS)
    if (changes !== 1) throw changed(expectedVersion)
    return expectedVersion + 1
  }

  #applyDelete({ partition, sort, expectedVersion }: EncodedWrite, nowS: number): number {
    const { changes } = this.#delete.run(partition, sort, expectedVersion, nowS)
    if (changes !== 1) throw changed(expectedVersion)
    return 0
  }

  #applyCheck({ partition, sort, expectedVersion }: EncodedWrite, nowS: number): number {
    const found = this.#version.get(partition, sort, nowS)?.['version'] ?? 0
    if (found !== expectedVersion) throw changed(expectedVersion)
    return expectedVersion
  }
}

function changed(expectedVersion: number): BackstopError {
  return new BackstopError('RECORD_CHANGED', `the record does not have version ${expectedVersion}`, {
    details: { expectedVersion },
  })
}
