/** What a capture works with. */
import type { RelationName, SetId, SnapshotId } from '#lib/kernel/index.ts'
import type { Columnar, ObjectStore, RecoveryPointOrigin } from '#lib/ports/index.ts'
import type { ColumnDefinition, TableDefinition } from '../manifest/index.ts'
import type { BaseType } from './encoding.ts'

/** A relation of the database, found by name. */
export interface FoundRelation {
  readonly relation: RelationName
  readonly oid: number
}

export interface ReadDefinition {
  readonly definition: TableDefinition
  readonly baseTypes: readonly BaseType[]
}

export interface CapturePorts {
  readonly objects: ObjectStore
  readonly columnar: Columnar
  /** `host:port/name` of the database. */
  readonly databaseLabel: string
}

export interface CaptureRequest {
  readonly relation: RelationName
  readonly snapshotId: SnapshotId
  readonly origin: RecoveryPointOrigin
  readonly capturedAtMs: number
  /** Given when the table is captured as one of a set. */
  readonly setId?: SetId
  /** Read before the transaction's snapshot was taken. */
  readonly lsn: string
  /** True when the transaction reads only: its snapshot then tells whether anything was written since. */
  readonly isSnapshotOwn: boolean
}

/** A column whose values are stored; generated ones are not. */
export function isStored(column: ColumnDefinition): boolean {
  return column.generated === null
}
