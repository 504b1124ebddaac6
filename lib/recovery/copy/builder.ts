/** One column's values while rows come in: growing buffers in the columnar port's layout. */
import type { ColumnValues } from '#lib/ports/index.ts'

const INITIAL_BYTES = 4096

export class ColumnBuilder {
  bytes = new Uint8Array(INITIAL_BYTES)
  view = new DataView(this.bytes.buffer)
  lengthBytes = 0
  nullCount = 0
  #nulls = new Uint8Array(INITIAL_BYTES)

  /** Make room for this many more bytes of values. */
  reserve(extraBytes: number): void {
    const needed = this.lengthBytes + extraBytes
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.lengthBytes))
    this.bytes = grown
    this.view = new DataView(grown.buffer)
  }

  /** Flags of rows `[firstRow, firstRow + rowCount)`, zeroed, to be set by the caller. */
  reserveNulls(firstRow: number, rowCount: number): Uint8Array {
    const needed = firstRow + rowCount
    if (needed > this.#nulls.length) {
      const grown = new Uint8Array(Math.max(needed, this.#nulls.length * 2))
      grown.set(this.#nulls.subarray(0, firstRow))
      this.#nulls = grown
    }
    return this.#nulls.fill(0, firstRow, needed).subarray(firstRow, needed)
  }

  /** The values of the first `rowCount` rows, as views into this builder. */
  values(rowCount: number): ColumnValues {
    const bytes = this.bytes.subarray(0, this.lengthBytes)
    const { nullCount } = this
    return nullCount === 0 ? { bytes, nullCount } : { bytes, nullCount, nulls: this.#nulls.subarray(0, rowCount) }
  }

  clear(): void {
    this.lengthBytes = 0
    this.nullCount = 0
  }
}
