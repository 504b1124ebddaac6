/** Tables that were there, and what became of them. */
import type { Instant, RelationName } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'

export interface SeenTable {
  readonly oid: number
  readonly relation: RelationName
  /** False for a partitioned table: its rows are those of its partitions. */
  readonly holdsRows: boolean
}

export interface KnownTable extends SeenTable {
  readonly firstSeenAt: Instant
}

export interface RenamedTable {
  readonly oid: number
  readonly from: RelationName
  readonly to: RelationName
}

export interface GoneTable {
  readonly table: KnownTable
  /** A table of the same name that is there now, and is another one. */
  readonly replacedByOid: number | null
  /** Its schema has no table left that was seen: told once for all of them. */
  readonly isSchemaGone: boolean
}

/** A table that is gone, and what it can be brought back from. */
export interface DroppedTable extends GoneTable {
  /** The newest valid one of this very table. */
  readonly point: RecoveryPoint | null
}

export interface TableLook {
  /** Of the look before; null: this was the first one, and nothing can be said about what was there. */
  readonly since: Instant | null
  readonly lookedAt: Instant
  readonly identity: string
  /** At the same address there is another database now; how many tables the one before had. */
  readonly replacedDatabase: { readonly tables: readonly KnownTable[] } | null
  readonly present: readonly SeenTable[]
  readonly renamed: readonly RenamedTable[]
  readonly dropped: readonly DroppedTable[]
}
