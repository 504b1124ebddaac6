/** Column batches into a COPY BINARY stream. */
import type { ColumnBatch } from '#lib/ports/index.ts'
import type { ColumnEncoder } from './encode-column.ts'
import { columnEncoder } from './encode-column.ts'
import type { ColumnEncoding } from './model.ts'

const HEADER = Uint8Array.of(0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0)
const TRAILER = Uint8Array.of(0xff, 0xff)
/** Rows that are laid out together; their columns are written one after the other. */
const WINDOW_ROWS = 1_024
const FIELD_COUNT_BYTES = 2

export function encodeCopyHeader(): Uint8Array {
  return HEADER
}

export function encodeCopyTrailer(): Uint8Array {
  return TRAILER
}

/**
 * The rows of a batch as COPY BINARY, without header and trailer.
 *
 * Invariants: `CopyDecoder` with the same encodings gives the batch back
 * Effects:    pure
 */
export function* encodeCopyRows(batch: ColumnBatch, encodings: readonly ColumnEncoding[]): Generator<Uint8Array> {
  const encoders = encodings.map((encoding, index) => {
    const values = batch.columns[index]
    if (values === undefined) throw new RangeError('the batch has fewer columns than the encodings')
    return columnEncoder(encoding, values)
  })
  const rowBytes = new Int32Array(WINDOW_ROWS)
  for (let firstRow = 0; firstRow < batch.rowCount; firstRow += WINDOW_ROWS) {
    const rowCount = Math.min(WINDOW_ROWS, batch.rowCount - firstRow)
    yield encodeWindow(encoders, firstRow, rowCount, rowBytes)
  }
}

function encodeWindow(
  encoders: readonly ColumnEncoder[],
  firstRow: number,
  rowCount: number,
  rowBytes: Int32Array,
): Uint8Array {
  rowBytes.fill(FIELD_COUNT_BYTES)
  for (const encoder of encoders) encoder.measure(firstRow, rowCount, rowBytes)
  let totalBytes = 0
  for (let row = 0; row < rowCount; row += 1) totalBytes += rowBytes[row] as number
  // Every byte is written below: filling with zeros first would cost as much as half the encoding.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(totalBytes).buffer)
  const view = new DataView(bytes.buffer)
  const positions = new Int32Array(rowCount)
  for (let row = 0, at = 0; row < rowCount; row += 1) {
    view.setInt16(at, encoders.length)
    positions[row] = at + FIELD_COUNT_BYTES
    at += rowBytes[row] as number
  }
  for (const encoder of encoders) encoder.write(firstRow, rowCount, { bytes, view, positions })
  return bytes
}
