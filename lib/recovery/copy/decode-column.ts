/** Fields of one column from COPY BINARY into the columnar layout, a loop per encoding. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { ColumnBuilder } from './builder.ts'
import type { ByteArea } from './copy-bytes.ts'
import { copyBytes } from './copy-bytes.ts'
import { readDecimal } from './decimal.ts'
import type { FieldTable } from './fields.ts'
import { NULL_LENGTH, UnencodableValue } from './fields.ts'
import {
  DATE_INFINITY,
  DATE_MINUS_INFINITY,
  EPOCH_SHIFT_DAYS,
  PLAIN_SHIFT_HIGH,
  SHIFT_HIGH,
  SHIFT_LOW,
  unixFromPostgres,
} from './instant.ts'
import type { ColumnEncoding } from './model.ts'
import { decodeNumeric } from './numeric-text.ts'

const encoder = new TextEncoder()
const UINT32 = 0x1_0000_0000

export interface FieldSource extends ByteArea {
  readonly fields: FieldTable
}

export type ColumnDecoder = (builder: ColumnBuilder, source: FieldSource, column: number, firstRow: number) => void

/** The decoder of an encoding: appends the rows of the field table to the builder, which holds `firstRow` rows already. */
export function columnDecoder(encoding: ColumnEncoding): ColumnDecoder {
  switch (encoding.kind) {
    case 'boolean':
      return fixed(1, 1, (builder, source, from, to) => {
        builder.bytes[to] = source.bytes[from] ?? 0
      })
    case 'int16':
      return fixed(2, 4, (builder, source, from, to) => builder.view.setInt32(to, source.view.getInt16(from), true))
    case 'int32':
    case 'uint32':
    case 'float':
      return fixed(4, 4, (builder, source, from, to) => builder.view.setInt32(to, source.view.getInt32(from), true))
    case 'date':
      return fixed(4, 4, (builder, source, from, to) =>
        builder.view.setInt32(to, shiftDate(source.view.getInt32(from)), true),
      )
    case 'int64':
    case 'double':
    case 'time':
      return fixed(8, 8, swapEight)
    case 'timestamp':
    case 'timestamptz':
      return fixed(8, 8, shiftInstant)
    case 'uuid':
      return fixed(16, 16, (builder, source, from, to) => copyBytes(source, from, builder, to, 16))
    case 'decimal':
      return decodeDecimals(encoding.precision, encoding.scale)
    case 'numeric':
      return decodeNumerics
    case 'jsonb':
      return decodeJsonb
    default:
      return (builder, source, column, firstRow) => decodeBytes(builder, source, column, firstRow, 0)
  }
}

type FieldCopy = (builder: ColumnBuilder, source: FieldSource, from: number, to: number) => void

/** A loop over fields of one length. Each call makes its own closure, so that the engine specialises it. */
function fixed(fieldBytes: number, valueBytes: number, copy: FieldCopy): ColumnDecoder {
  return (builder, source, column, firstRow) => {
    const { offsets, lengths, columnCount, rowCount } = source.fields
    builder.reserve(rowCount * valueBytes)
    const nulls = builder.reserveNulls(firstRow, rowCount)
    let to = builder.lengthBytes
    for (let row = 0, field = column; row < rowCount; row += 1, field += columnCount) {
      const length = lengths[field]
      if (length === NULL_LENGTH) {
        nulls[row] = 1
        builder.nullCount += 1
      } else {
        if (length !== fieldBytes) throw unexpectedLength(column)
        copy(builder, source, offsets[field] ?? 0, to)
        to += valueBytes
      }
    }
    builder.lengthBytes = to
  }
}

function swapEight(builder: ColumnBuilder, source: FieldSource, from: number, to: number): void {
  builder.view.setInt32(to + 4, source.view.getInt32(from), true)
  builder.view.setInt32(to, source.view.getInt32(from + 4), true)
}

function shiftDate(days: number): number {
  return days === DATE_INFINITY || days === DATE_MINUS_INFINITY ? days : days + EPOCH_SHIFT_DAYS
}

function shiftInstant(builder: ColumnBuilder, source: FieldSource, from: number, to: number): void {
  const high = source.view.getInt32(from)
  if (high >= PLAIN_SHIFT_HIGH || high <= -PLAIN_SHIFT_HIGH) {
    builder.view.setBigInt64(to, unixFromPostgres(source.view.getBigInt64(from)), true)
    return
  }
  const low = source.view.getUint32(from + 4) + SHIFT_LOW
  const carry = low >= UINT32 ? 1 : 0
  builder.view.setUint32(to, low - carry * UINT32, true)
  builder.view.setInt32(to + 4, high + SHIFT_HIGH + carry, true)
}

function decodeDecimals(precision: number, scale: number): ColumnDecoder {
  return (builder, source, column, firstRow) => {
    const { offsets, lengths, columnCount, rowCount } = source.fields
    builder.reserve(rowCount * 8)
    const nulls = builder.reserveNulls(firstRow, rowCount)
    let to = builder.lengthBytes
    for (let row = 0, field = column; row < rowCount; row += 1, field += columnCount) {
      if (lengths[field] === NULL_LENGTH) {
        nulls[row] = 1
        builder.nullCount += 1
        continue
      }
      const value = readDecimal(source.view, offsets[field] ?? 0, precision, scale)
      if (value === undefined) throw new UnencodableValue(column)
      if (typeof value === 'bigint') {
        builder.view.setBigInt64(to, value, true)
      } else {
        builder.view.setUint32(to, value >>> 0, true)
        builder.view.setInt32(to + 4, Math.floor(value / UINT32), true)
      }
      to += 8
    }
    builder.lengthBytes = to
  }
}

function decodeNumerics(builder: ColumnBuilder, source: FieldSource, column: number, firstRow: number): void {
  const { offsets, lengths, columnCount, rowCount } = source.fields
  const nulls = builder.reserveNulls(firstRow, rowCount)
  for (let row = 0, field = column; row < rowCount; row += 1, field += columnCount) {
    if (lengths[field] === NULL_LENGTH) {
      nulls[row] = 1
      builder.nullCount += 1
      continue
    }
    const text = decodeNumeric(source.view, offsets[field] ?? 0)
    builder.reserve(4 + text.length)
    builder.view.setUint32(builder.lengthBytes, text.length, true)
    encoder.encodeInto(text, builder.bytes.subarray(builder.lengthBytes + 4))
    builder.lengthBytes += 4 + text.length
  }
}

/** jsonb's binary form is its text after one version byte. */
const JSONB_VERSION = 1

function decodeJsonb(builder: ColumnBuilder, source: FieldSource, column: number, firstRow: number): void {
  const { offsets, lengths, columnCount, rowCount } = source.fields
  for (let row = 0, field = column; row < rowCount; row += 1, field += columnCount) {
    if (lengths[field] === NULL_LENGTH) continue
    if (source.bytes[offsets[field] ?? 0] !== JSONB_VERSION) throw unexpectedLength(column)
  }
  decodeBytes(builder, source, column, firstRow, 1)
}

function decodeBytes(
  builder: ColumnBuilder,
  source: FieldSource,
  column: number,
  firstRow: number,
  skip: number,
): void {
  const { offsets, lengths, columnCount, rowCount } = source.fields
  let totalBytes = 0
  for (let row = 0, field = column; row < rowCount; row += 1, field += columnCount)
    totalBytes += 4 + Math.max(lengths[field] ?? 0, 0)
  builder.reserve(totalBytes)
  const nulls = builder.reserveNulls(firstRow, rowCount)
  const { view } = builder
  let to = builder.lengthBytes
  for (let row = 0, field = column; row < rowCount; row += 1, field += columnCount) {
    const fieldBytes = lengths[field] ?? NULL_LENGTH
    if (fieldBytes === NULL_LENGTH) {
      nulls[row] = 1
      builder.nullCount += 1
      continue
    }
    const length = fieldBytes - skip
    view.setUint32(to, length, true)
    copyBytes(source, (offsets[field] ?? 0) + skip, builder, to + 4, length)
    to += 4 + length
  }
  builder.lengthBytes = to
}

function unexpectedLength(column: number): BackstopError {
  return new BackstopError('COPY_FIELD_INVALID', `field ${column + 1} of a row does not have the form of its type`, {
    details: { column: column + 1 },
  })
}
