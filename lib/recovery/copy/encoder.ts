/** Column batches into a COPY BINARY stream. */
import type { ColumnBatch } from '#lib/ports/index.ts'
import { areaOf } from './copy-bytes.ts'
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

/** Gives room for a chunk. */
export type TakeBytes = (sizeBytes: number) => Uint8Array

/** A `TakeBytes` whose room is the same each time: a chunk is good only until the next one is asked for. */
export function reuseBytes(): TakeBytes {
  let room = new Uint8Array(0)
  return (sizeBytes) => {
    if (room.length < sizeBytes) room = new Uint8Array(sizeBytes * 2)
    return room.subarray(0, sizeBytes)
  }
}

/**
 * The rows of a batch as COPY BINARY, without header and trailer.
 *
 * Invariants: `CopyDecoder` with the same encodings gives the batch back
 * Effects:    pure
 */
export function* encodeCopyRows(
  batch: ColumnBatch,
  encodings: readonly ColumnEncoding[],
  takeBytes: TakeBytes = (sizeBytes) => new Uint8Array(sizeBytes),
): Generator<Uint8Array> {
  const encoders = encodings.map((encoding, index) => {
    const values = batch.columns[index]
    if (values === undefined) throw new RangeError('the batch has fewer columns than the encodings')
    return columnEncoder(encoding, values)
  })
  const rowBytes = new Int32Array(WINDOW_ROWS)
  const positions = new Int32Array(WINDOW_ROWS)
  for (let firstRow = 0; firstRow < batch.rowCount; firstRow += WINDOW_ROWS) {
    const rowCount = Math.min(WINDOW_ROWS, batch.rowCount - firstRow)
    rowBytes.fill(FIELD_COUNT_BYTES)
    for (const encoder of encoders) encoder.measure(firstRow, rowCount, rowBytes)
    const totalBytes = startRows(rowCount, rowBytes, positions)
    const target = { ...areaOf(takeBytes(totalBytes)), positions }
    for (let row = 0; row < rowCount; row += 1) {
      target.view.setInt16((positions[row] as number) - FIELD_COUNT_BYTES, encoders.length)
    }
    for (const encoder of encoders) encoder.write(firstRow, rowCount, target)
    yield target.bytes
  }
}

/** Set each row's position past its field count; returns the length of all rows. */
function startRows(rowCount: number, rowBytes: Int32Array, positions: Int32Array): number {
  let totalBytes = 0
  for (let row = 0; row < rowCount; row += 1) {
    positions[row] = totalBytes + FIELD_COUNT_BYTES
    totalBytes += rowBytes[row] as number
  }
  return totalBytes
}
