/** How each column's values travel: COPY BINARY fields on one side, columnar values on the other. */
import type { ColumnarColumn, LogicalType, PhysicalType } from '#lib/ports/index.ts'

/** Encodings that need no parameters. */
export const PLAIN_ENCODINGS = [
  'boolean',
  'int16',
  'int32',
  'uint32',
  'int64',
  'float',
  'double',
  'string',
  'enum',
  'binary',
  'json',
  'jsonb',
  'uuid',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'numeric',
  'xml',
  'text',
] as const

/**
 * What a column is stored as.
 *
 * `numeric` keeps decimal text of any length; `decimal` an unscaled 64-bit integer.
 * `text` is the server's own output form, taken with `format('%s', column)` and read back by the type's input function;
 * `xml` is its stored text, declaration and all, which the output form leaves out;
 * all others are the type's binary form, converted without loss.
 */
export type ColumnEncoding =
  | { readonly kind: (typeof PLAIN_ENCODINGS)[number] }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }

export type EncodingKind = ColumnEncoding['kind']

/** Widest DECIMAL that an unscaled 64-bit integer holds. */
export const MAX_DECIMAL_PRECISION = 18

const PHYSICAL: Readonly<Record<EncodingKind, PhysicalType>> = {
  boolean: 'boolean',
  int16: 'int32',
  int32: 'int32',
  uint32: 'int32',
  int64: 'int64',
  float: 'float',
  double: 'double',
  string: 'bytes',
  enum: 'bytes',
  binary: 'bytes',
  json: 'bytes',
  jsonb: 'bytes',
  uuid: 'fixed16',
  date: 'int32',
  time: 'int64',
  timestamp: 'int64',
  timestamptz: 'int64',
  numeric: 'bytes',
  xml: 'bytes',
  text: 'bytes',
  decimal: 'int64',
}

/** True for forms that the server makes of the value, and that need a cast on the way back. */
export function isCastForm(encoding: ColumnEncoding): boolean {
  return encoding.kind === 'text' || encoding.kind === 'xml'
}

/** The columnar column of an encoding. */
export function columnarColumn(name: string, encoding: ColumnEncoding): ColumnarColumn {
  return { name, physical: PHYSICAL[encoding.kind], logical: logicalOf(encoding) }
}

function logicalOf(encoding: ColumnEncoding): LogicalType {
  switch (encoding.kind) {
    case 'decimal':
      return { kind: 'decimal', precision: encoding.precision, scale: encoding.scale }
    case 'boolean':
    case 'int32':
    case 'int64':
    case 'float':
    case 'double':
    case 'binary':
      return { kind: 'none' }
    case 'numeric':
    case 'xml':
    case 'text':
      return { kind: 'string' }
    case 'jsonb':
      return { kind: 'json' }
    default:
      return { kind: encoding.kind }
  }
}
