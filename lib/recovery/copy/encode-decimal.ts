/** Unscaled integers of a decimal column into COPY BINARY numerics. */
import type { ColumnValues } from '#lib/ports/index.ts'
import { areaOf, copyBytes } from './copy-bytes.ts'
import { MAX_DECIMAL_FIELD_BYTES, writeDecimal } from './decimal.ts'
import type { ColumnEncoder, FieldTarget } from './encoder-model.ts'
import { NULL_LENGTH } from './fields.ts'

const UINT32 = 0x1_0000_0000
/** High halves strictly within ±this make integers that a number holds exactly. */
const EXACT_HIGH = 0x20_0000
const VALUE_BYTES = 8

/** A field's length is known only when it is written: the fields of a window wait between `measure` and `write`. */
export class DecimalEncoder implements ColumnEncoder {
  readonly #nulls: Uint8Array | undefined
  readonly #source: DataView
  readonly #scale: number
  #fields = areaOf(new Uint8Array(0))
  #lengths = new Int32Array(0)
  #from = 0

  constructor(values: ColumnValues, scale: number) {
    this.#nulls = values.nulls
    this.#source = areaOf(values.bytes).view
    this.#scale = scale
  }

  measure(firstRow: number, rowCount: number, rowBytes: Int32Array): void {
    this.#reserve(rowCount)
    const nulls = this.#nulls
    const lengths = this.#lengths
    const { view } = this.#fields
    for (let row = 0; row < rowCount; row += 1) {
      const isNull = nulls?.[firstRow + row] === 1
      const length = isNull ? 0 : writeDecimal(view, row * MAX_DECIMAL_FIELD_BYTES, this.#next(), this.#scale)
      lengths[row] = isNull ? NULL_LENGTH : length
      rowBytes[row] = (rowBytes[row] as number) + 4 + length
    }
  }

  write(_firstRow: number, rowCount: number, target: FieldTarget): void {
    for (let row = 0; row < rowCount; row += 1) {
      const to = target.positions[row] as number
      const length = this.#lengths[row] as number
      target.view.setInt32(to, length)
      target.positions[row] = to + 4 + Math.max(length, 0)
      if (length > 0) copyBytes(this.#fields, row * MAX_DECIMAL_FIELD_BYTES, target, to + 4, length)
    }
  }

  #reserve(rowCount: number): void {
    if (this.#lengths.length >= rowCount) return
    this.#lengths = new Int32Array(rowCount)
    this.#fields = areaOf(new Uint8Array(rowCount * MAX_DECIMAL_FIELD_BYTES))
  }

  #next(): number | bigint {
    const from = this.#from
    this.#from += VALUE_BYTES
    const high = this.#source.getInt32(from + 4, true)
    const isExact = high > -EXACT_HIGH && high < EXACT_HIGH
    return isExact ? high * UINT32 + this.#source.getUint32(from, true) : this.#source.getBigInt64(from, true)
  }
}
