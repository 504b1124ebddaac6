/** What walks a column and writes its fields. */
import type { ByteArea } from './copy-bytes.ts'

/** Where the rows of a window are written: `positions[row]` is the next free byte of the row. */
export interface FieldTarget extends ByteArea {
  readonly positions: Int32Array
}

/** Walks one column of a batch from its first row to its last. */
export interface ColumnEncoder {
  /** Add each row's field length, with its four length bytes, to `rowBytes`. Call before `write` for the same rows. */
  measure(firstRow: number, rowCount: number, rowBytes: Int32Array): void
  write(firstRow: number, rowCount: number, target: FieldTarget): void
}
