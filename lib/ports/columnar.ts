import type { ObjectStore, ObjectUpload } from './object-store.ts'

/** How values lie in memory and in the file. */
export type PhysicalType = 'boolean' | 'int32' | 'int64' | 'float' | 'double' | 'bytes' | 'fixed16'

/** What the values mean to another reader of the file. */
export type LogicalType =
  | { readonly kind: 'none' | 'string' | 'json' | 'enum' | 'uuid' | 'date' | 'time' | 'timestamp' | 'timestamptz' }
  | { readonly kind: 'int16' | 'uint32' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }

export interface ColumnarColumn {
  readonly name: string
  readonly physical: PhysicalType
  readonly logical: LogicalType
}

/**
 * The values of one column, NULLs left out.
 *
 * Shapes: `bytes` holds the values end to end, little-endian: `boolean` 1 byte (0 or 1), `int32` and `float` 4,
 *         `int64` and `double` 8, `fixed16` 16; `bytes` has a 4-byte length before each value.
 *         `nulls` has one byte per row, 1 for NULL; absent when the column has none.
 */
export interface ColumnValues {
  readonly bytes: Uint8Array
  readonly nulls?: Uint8Array
  readonly nullCount: number
}

/** Some rows of a table, as columns in the order of the schema. */
export interface ColumnBatch {
  readonly rowCount: number
  readonly columns: readonly ColumnValues[]
}

export interface ColumnarWriter {
  /** Bytes handed to the upload so far. */
  readonly sizeBytes: number
  /** Write the rows as one group; the batch may be reused once this resolves. */
  writeGroup(batch: ColumnBatch): Promise<void>
  /** Write the end of the file. The upload is left to its owner: commit or abort it. */
  finish(): Promise<void>
}

export interface ColumnarReader {
  readonly rowCount: number
  readonly groupCount: number
  readonly columnNames: readonly string[]
  /** Throws SNAPSHOT_CORRUPT when the group cannot be what a writer of this port wrote. */
  readGroup(index: number): Promise<ColumnBatch>
}

/** Columnar files in an object store: Parquet. `readGroup` gives back exactly what `writeGroup` was given. */
export interface Columnar {
  openWriter(upload: ObjectUpload, columns: readonly ColumnarColumn[]): Promise<ColumnarWriter>
  /** Throws OBJECT_MISSING, SNAPSHOT_CORRUPT. */
  openReader(objects: ObjectStore, key: string): Promise<ColumnarReader>
}
