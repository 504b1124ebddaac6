/** The pre-image of one write: every row that it changed, as it was before and as it is after. Described in docs/formats/undo.md. */
import { z } from 'zod'
import type { AuditId, RelationName } from '#lib/kernel/index.ts'
import type { Clock, Database, ObjectStore, RecordStore } from '#lib/ports/index.ts'

export const UNDO_FORMAT = 'backstop-undo/1'

/** The server's text of each column's value. */
export type RowValues = readonly (string | null)[]

const values = z.array(z.string().nullable()).readonly()
const relation = z.strictObject({ schema: z.string(), name: z.string() })

const undoTable = z.strictObject({
  /** Of a partition: the partitioned table at the top. */
  relation,
  columns: z
    .array(
      z.strictObject({
        name: z.string(),
        /** As `format_type` writes it, with its schema. */
        type: z.string(),
        identity: z.enum(['', 'a', 'd']),
        /** How the value became text and becomes a value again; `oid`: by number and not by name. */
        form: z.enum(['text', 'xml', 'oid']),
      }),
    )
    .readonly(),
  /** Columns of the primary key or another unique key that cannot be NULL; null: the table has none. */
  key: z
    .array(z.strictObject({ name: z.string(), operator: z.string() }))
    .readonly()
    .nullable(),
  /** Values in the order of the columns. `before` null: inserted; `after` null: deleted. */
  rows: z.array(z.strictObject({ before: values.nullable(), after: values.nullable() })).readonly(),
})

export const undoImageSchema = z.strictObject({
  format: z.literal(UNDO_FORMAT),
  auditId: z.string(),
  database: z.string(),
  /** xid8 as text. */
  transactionId: z.string(),
  keptAt: z.string(),
  tables: z.array(undoTable).readonly(),
})

export type UndoImage = z.output<typeof undoImageSchema>
export type UndoTable = UndoImage['tables'][number]
export type UndoColumn = UndoTable['columns'][number]
export type ChangedRow = UndoTable['rows'][number]

/** What bounds the cost of keeping. */
export interface UndoLimits {
  readonly maxRows: number // default 10,000
  readonly maxBytes: number // default 32 MiB, of values as text
  /** Size of all changed tables, which are read once each: of an approved write, and of one that runs at once. */
  readonly maxScanBytes: number // default 4 GiB
  readonly maxImmediateScanBytes: number // default 16 MiB
  /** Longest time for looking at the tables. */
  readonly maxMs: number // default 30,000
  readonly maxImmediateMs: number // default 1,000
  readonly retentionDays: number // default 7
}

const MIB = 1 << 20

export const DEFAULT_UNDO_LIMITS: UndoLimits = {
  maxRows: 10_000,
  maxBytes: 32 * MIB,
  maxScanBytes: 4_096 * MIB,
  maxImmediateScanBytes: 16 * MIB,
  maxMs: 30_000,
  maxImmediateMs: 1_000,
  retentionDays: 7,
}

export interface UndoOptions {
  readonly database: Database
  readonly objects: ObjectStore
  readonly records: RecordStore
  readonly clock: Clock
  readonly limits?: Partial<UndoLimits>
}

/** What the record of a pre-image says beside its object. */
export interface UndoRecord {
  readonly auditId: AuditId
  readonly objectKey: string
  readonly sha256: string
  readonly transactionId: string
  readonly rowCount: number
  readonly keptAt: string
  /** The reversal that took it, which counts unless its own transaction was rolled back or was reversed itself. */
  readonly undoneBy?: { readonly auditId: AuditId; readonly transactionId: string }
}

export function sameRelation(left: RelationName, right: RelationName): boolean {
  return left.schema === right.schema && left.name === right.name
}
