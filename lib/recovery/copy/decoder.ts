/** A COPY BINARY stream, in chunks of any size, into column batches. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { ColumnBatch } from '#lib/ports/index.ts'
import { ColumnBuilder } from './builder.ts'
import type { ColumnDecoder } from './decode-column.ts'
import { columnDecoder } from './decode-column.ts'
import { NULL_LENGTH } from './fields.ts'
import type { ColumnEncoding } from './model.ts'

const SIGNATURE = Uint8Array.of(0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0)
const HEADER_BYTES = SIGNATURE.length + 8
const TRAILER = -1
/** Bits 16 to 31 of the flags are critical; none is defined. */
const CRITICAL_FLAGS = 0xffff0000
const MEGABYTE = 1024 * 1024
/** Rows located before their columns are decoded: the fields of so many rows stay in the processor's cache. */
const WINDOW_FIELDS = 8_192

/** Of one row as COPY BINARY sends it. Up to five times as much is in memory while it is stored. */
export const MAX_ROW_BYTES = 128 * 1024 * 1024

type State = 'header' | 'rows' | 'finished'

/**
 * Decode a COPY BINARY stream into columns.
 *
 * Shapes:     bytes of `COPY … TO STDOUT (FORMAT binary)` → batches of all rows taken in since the last `take`
 * Invariants: no row is ever split between batches; chunk boundaries have no effect
 * Effects:    pure
 * Refuses:    to know table names or Parquet
 * Throws:     `ROW_TOO_LARGE`, as soon as the length of a field says so; `COPY_HEADER_INVALID`, `COPY_FIELD_INVALID`, `COPY_STREAM_TRUNCATED`, `UnencodableValue`
 * Source:     PostgreSQL documentation, "COPY", section "Binary Format"
 */
export class CopyDecoder {
  readonly #decoders: readonly ColumnDecoder[]
  readonly #offsets: Int32Array
  readonly #lengths: Int32Array
  readonly #windowRows: number
  #spare: ColumnBuilder[]
  #builders: ColumnBuilder[]
  #batchRows = 0
  #state: State = 'header'
  #buffer = new Uint8Array(1 << 18)
  #view = new DataView(this.#buffer.buffer)
  #start = 0
  #end = 0
  #rowCount = 0
  readonly #maxRowBytes: number

  constructor(encodings: readonly ColumnEncoding[], maxRowBytes: number = MAX_ROW_BYTES) {
    this.#maxRowBytes = maxRowBytes
    this.#decoders = encodings.map(columnDecoder)
    this.#windowRows = Math.max(1, Math.floor(WINDOW_FIELDS / Math.max(1, encodings.length)))
    this.#offsets = new Int32Array(this.#windowRows * encodings.length)
    this.#lengths = new Int32Array(this.#windowRows * encodings.length)
    this.#builders = encodings.map(() => new ColumnBuilder())
    this.#spare = encodings.map(() => new ColumnBuilder())
  }

  /** Ready for another stream of the same columns, with the memory of the last one; its batches are no longer valid. */
  restart(): void {
    for (const builder of [...this.#builders, ...this.#spare]) builder.clear()
    this.#batchRows = 0
    this.#rowCount = 0
    this.#start = 0
    this.#end = 0
    this.#state = 'header'
  }

  /** Rows decoded since the start. */
  get rowCount(): number {
    return this.#rowCount
  }

  /** Bytes of values held for the next batch. */
  get batchBytes(): number {
    return this.#builders.reduce((sum, builder) => sum + builder.lengthBytes, this.#batchRows)
  }

  push(chunk: Uint8Array): void {
    this.#append(chunk)
    if (this.#state === 'header' && !this.#readHeader()) return
    while (this.#state === 'rows' && this.#readWindow()) {
      // windows follow each other until the bytes run out
    }
    if (this.#state === 'finished' && this.#end > this.#start) {
      throw new BackstopError('COPY_HEADER_INVALID', 'bytes follow the end of the COPY stream')
    }
  }

  /** Call when the stream has ended. */
  finish(): void {
    if (this.#state === 'finished') return
    throw new BackstopError(
      'COPY_STREAM_TRUNCATED',
      `the COPY stream ended without its trailer after ${this.#rowCount} rows`,
    )
  }

  /** The rows since the last call. The batch stays valid until the call after the next. */
  take(): ColumnBatch {
    const rowCount = this.#batchRows
    const columns = this.#builders.map((builder) => builder.values(rowCount))
    const builders = this.#spare
    for (const builder of builders) builder.clear()
    this.#spare = this.#builders
    this.#builders = builders
    this.#batchRows = 0
    return { rowCount, columns }
  }

  #append(chunk: Uint8Array): void {
    const pending = this.#end - this.#start
    if (this.#end + chunk.length > this.#buffer.length) {
      const needed = pending + chunk.length
      const target = needed > this.#buffer.length ? new Uint8Array(needed * 2) : this.#buffer
      target.set(this.#buffer.subarray(this.#start, this.#end))
      if (target !== this.#buffer) {
        this.#buffer = target
        this.#view = new DataView(target.buffer)
      }
      this.#start = 0
      this.#end = pending
    }
    this.#buffer.set(chunk, this.#end)
    this.#end += chunk.length
  }

  #readHeader(): boolean {
    const available = this.#end - this.#start
    for (let index = 0; index < Math.min(SIGNATURE.length, available); index += 1) {
      if (this.#buffer[this.#start + index] !== SIGNATURE[index])
        throw headerError('the signature is not that of COPY BINARY')
    }
    if (available < HEADER_BYTES) return false
    const flags = this.#view.getUint32(this.#start + SIGNATURE.length)
    if ((flags & CRITICAL_FLAGS) !== 0) throw headerError('the stream has critical flags that are not known')
    const extensionBytes = this.#view.getInt32(this.#start + SIGNATURE.length + 4)
    if (extensionBytes < 0) throw headerError('the header extension has a negative length')
    if (available < HEADER_BYTES + extensionBytes) return false
    this.#start += HEADER_BYTES + extensionBytes
    this.#state = 'rows'
    return true
  }

  /** Locate and decode as many whole rows as there are, at most a window; false when more bytes are needed. */
  #readWindow(): boolean {
    const columnCount = this.#decoders.length
    let located = 0
    let isMore = true
    while (located < this.#windowRows && isMore) {
      const next = this.#locateRow(located * columnCount)
      if (next < 0) isMore = false
      else {
        this.#start = next
        located += 1
      }
    }
    if (located > 0) this.#decodeWindow(located)
    return isMore && this.#state === 'rows'
  }

  /** Note where the fields of the next row lie; returns the offset behind it, or -1 when it is not there yet. */
  #locateRow(firstField: number): number {
    const columnCount = this.#decoders.length
    const end = this.#end
    let position = this.#start
    if (position + 2 > end) return -1
    const fieldCount = this.#view.getInt16(position)
    position += 2
    if (fieldCount !== columnCount) return this.#endOfRows(fieldCount)
    for (let column = 0; column < columnCount; column += 1) {
      if (position + 4 > end) return -1
      const length = this.#view.getInt32(position)
      position += 4
      if (length < NULL_LENGTH) throw fieldError(column)
      this.#offsets[firstField + column] = position
      this.#lengths[firstField + column] = length
      if (length > 0) position += length
      if (position > end) {
        if (position - this.#start > this.#maxRowBytes) throw this.#rowError(position - this.#start, column)
        return -1
      }
    }
    return position
  }

  #rowError(rowBytes: number, column: number): BackstopError {
    const [size, limit] = [rowBytes, this.#maxRowBytes].map((bytes) => Math.ceil(bytes / MEGABYTE))
    return new BackstopError(
      'ROW_TOO_LARGE',
      `row ${this.#rowCount + 1} has ${size} MiB up to its field ${column + 1}, and ${limit} MiB is the limit of a row`,
      { details: { row: this.#rowCount + 1, column: column + 1 } },
    )
  }

  #endOfRows(fieldCount: number): -1 {
    if (fieldCount !== TRAILER) {
      throw new BackstopError(
        'COPY_FIELD_INVALID',
        `a row has ${fieldCount} fields instead of ${this.#decoders.length}`,
      )
    }
    this.#start += 2
    this.#state = 'finished'
    return -1
  }

  #decodeWindow(rowCount: number): void {
    const fields = { offsets: this.#offsets, lengths: this.#lengths, columnCount: this.#decoders.length, rowCount }
    const source = { bytes: this.#buffer, view: this.#view, fields }
    for (const [column, decode] of this.#decoders.entries()) {
      decode(this.#builders[column] as ColumnBuilder, source, column, this.#batchRows)
    }
    this.#batchRows += rowCount
    this.#rowCount += rowCount
  }
}

function headerError(message: string): BackstopError {
  return new BackstopError('COPY_HEADER_INVALID', message)
}

function fieldError(column: number): BackstopError {
  return new BackstopError('COPY_FIELD_INVALID', `field ${column + 1} of a row has a negative length`)
}
