/** Columnar values of one column into COPY BINARY fields: first their lengths, then their bytes, a loop per encoding. */
import type { ColumnValues } from '#lib/ports/index.ts'
import type { ByteArea } from './copy-bytes.ts'
import { areaOf, copyBytes } from './copy-bytes.ts'
import { DecimalEncoder } from './encode-decimal.ts'
import type { ColumnEncoder, FieldTarget } from './encoder-model.ts'
import { NULL_LENGTH } from './fields.ts'
import {
  DATE_INFINITY,
  DATE_MINUS_INFINITY,
  EPOCH_SHIFT_DAYS,
  PLAIN_SHIFT_HIGH,
  postgresFromUnix,
  SHIFT_HIGH,
  SHIFT_LOW,
} from './instant.ts'
import type { ColumnEncoding } from './model.ts'
import { encodeNumeric } from './numeric-text.ts'

const UINT32 = 0x1_0000_0000
const decoder = new TextDecoder()

export function columnEncoder(encoding: ColumnEncoding, values: ColumnValues): ColumnEncoder {
  switch (encoding.kind) {
    case 'boolean':
      return new FixedEncoder(values, 1, 1, (source, from, target, to) => {
        target.bytes[to] = source.getUint8(from)
      })
    case 'int16':
      return new FixedEncoder(values, 4, 2, (source, from, target, to) =>
        target.view.setInt16(to, source.getInt32(from, true)),
      )
    case 'int32':
    case 'uint32':
    case 'float':
      return new FixedEncoder(values, 4, 4, (source, from, target, to) =>
        target.view.setInt32(to, source.getInt32(from, true)),
      )
    case 'date':
      return new FixedEncoder(values, 4, 4, (source, from, target, to) =>
        target.view.setInt32(to, unshiftDate(source.getInt32(from, true))),
      )
    case 'int64':
    case 'double':
    case 'time':
      return new FixedEncoder(values, 8, 8, swapEight)
    case 'timestamp':
    case 'timestamptz':
      return new FixedEncoder(values, 8, 8, unshiftInstant)
    case 'uuid':
      return new FixedEncoder(values, 16, 16, copySixteen)
    case 'decimal':
      return new DecimalEncoder(values, encoding.scale)
    case 'numeric':
      return new BytesEncoder({ ...values, bytes: binaryNumerics(values.bytes) }, 0)
    case 'jsonb':
      return new BytesEncoder(values, 1)
    default:
      return new BytesEncoder(values, 0)
  }
}

type FieldCopy = (source: DataView, from: number, target: FieldTarget, to: number) => void

class FixedEncoder implements ColumnEncoder {
  readonly #nulls: Uint8Array | undefined
  readonly #source: DataView
  readonly #valueBytes: number
  readonly #fieldBytes: number
  readonly #copy: FieldCopy
  #from = 0

  constructor(values: ColumnValues, valueBytes: number, fieldBytes: number, copy: FieldCopy) {
    this.#nulls = values.nulls
    this.#source = areaOf(values.bytes).view
    this.#valueBytes = valueBytes
    this.#fieldBytes = fieldBytes
    this.#copy = copy
  }

  measure(firstRow: number, rowCount: number, rowBytes: Int32Array): void {
    const nulls = this.#nulls
    for (let row = 0; row < rowCount; row += 1) {
      rowBytes[row] = (rowBytes[row] as number) + 4 + (nulls?.[firstRow + row] === 1 ? 0 : this.#fieldBytes)
    }
  }

  write(firstRow: number, rowCount: number, target: FieldTarget): void {
    const nulls = this.#nulls
    const fieldBytes = this.#fieldBytes
    for (let row = 0; row < rowCount; row += 1) {
      const to = target.positions[row] as number
      if (nulls?.[firstRow + row] === 1) {
        target.view.setInt32(to, NULL_LENGTH)
        target.positions[row] = to + 4
      } else {
        target.view.setInt32(to, fieldBytes)
        this.#copy(this.#source, this.#from, target, to + 4)
        this.#from += this.#valueBytes
        target.positions[row] = to + 4 + fieldBytes
      }
    }
  }
}

class BytesEncoder implements ColumnEncoder {
  readonly #nulls: Uint8Array | undefined
  readonly #source: ByteArea
  /** Length of the version byte before each field: 0 or 1. */
  readonly #versionBytes: 0 | 1
  #measured = 0
  #from = 0

  constructor(values: ColumnValues, versionBytes: 0 | 1) {
    this.#nulls = values.nulls
    this.#source = areaOf(values.bytes)
    this.#versionBytes = versionBytes
  }

  measure(firstRow: number, rowCount: number, rowBytes: Int32Array): void {
    const nulls = this.#nulls
    const { view } = this.#source
    let at = this.#measured
    for (let row = 0; row < rowCount; row += 1) {
      if (nulls?.[firstRow + row] === 1) {
        rowBytes[row] = (rowBytes[row] as number) + 4
      } else {
        const length = view.getUint32(at, true)
        rowBytes[row] = (rowBytes[row] as number) + 4 + this.#versionBytes + length
        at += 4 + length
      }
    }
    this.#measured = at
  }

  write(firstRow: number, rowCount: number, target: FieldTarget): void {
    const nulls = this.#nulls
    const versionBytes = this.#versionBytes
    const source = this.#source
    let from = this.#from
    for (let row = 0; row < rowCount; row += 1) {
      let to = target.positions[row] as number
      if (nulls?.[firstRow + row] === 1) {
        target.view.setInt32(to, NULL_LENGTH)
        target.positions[row] = to + 4
        continue
      }
      const length = source.view.getUint32(from, true)
      target.view.setInt32(to, length + versionBytes)
      to += 4
      if (versionBytes === 1) {
        target.bytes[to] = 1
        to += 1
      }
      copyBytes(source, from + 4, target, to, length)
      from += 4 + length
      target.positions[row] = to + length
    }
    this.#from = from
  }
}

function copySixteen(source: DataView, from: number, target: FieldTarget, to: number): void {
  target.view.setBigInt64(to, source.getBigInt64(from))
  target.view.setBigInt64(to + 8, source.getBigInt64(from + 8))
}

function swapEight(source: DataView, from: number, target: FieldTarget, to: number): void {
  target.view.setInt32(to, source.getInt32(from + 4, true))
  target.view.setInt32(to + 4, source.getInt32(from, true))
}

function unshiftDate(days: number): number {
  return days === DATE_INFINITY || days === DATE_MINUS_INFINITY ? days : days - EPOCH_SHIFT_DAYS
}

function unshiftInstant(source: DataView, from: number, target: FieldTarget, to: number): void {
  const high = source.getInt32(from + 4, true)
  if (high >= PLAIN_SHIFT_HIGH || high <= -PLAIN_SHIFT_HIGH) {
    target.view.setBigInt64(to, postgresFromUnix(source.getBigInt64(from, true)))
    return
  }
  const low = source.getUint32(from, true) - SHIFT_LOW
  const borrow = low < 0 ? 1 : 0
  target.view.setInt32(to, high - SHIFT_HIGH - borrow)
  target.view.setUint32(to + 4, low + borrow * UINT32)
}

/** Length-prefixed decimal texts as length-prefixed binary numerics. */
function binaryNumerics(texts: Uint8Array): Uint8Array {
  const source = areaOf(texts).view
  const fields: Uint8Array[] = []
  for (let from = 0; from < texts.length; ) {
    const length = source.getUint32(from, true)
    const field = encodeNumeric(decoder.decode(texts.subarray(from + 4, from + 4 + length)))
    const prefix = new Uint8Array(4)
    areaOf(prefix).view.setUint32(0, field.length, true)
    fields.push(prefix, field)
    from += 4 + length
  }
  return Buffer.concat(fields)
}
