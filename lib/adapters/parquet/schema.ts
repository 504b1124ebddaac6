/** Turns the columnar port's schema into Parquet schema elements. */
import type { SchemaElement } from 'hyparquet'
import type { ColumnarColumn, LogicalType, PhysicalType } from '#lib/ports/index.ts'

const PARQUET_TYPES = {
  boolean: { type: 'BOOLEAN' },
  int32: { type: 'INT32' },
  int64: { type: 'INT64' },
  float: { type: 'FLOAT' },
  double: { type: 'DOUBLE' },
  bytes: { type: 'BYTE_ARRAY' },
  fixed16: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16 },
} as const satisfies Record<PhysicalType, Partial<SchemaElement>>

/** Every column is OPTIONAL: a column without NULLs costs five bytes a group. */
export function buildSchema(columns: readonly ColumnarColumn[]): SchemaElement[] {
  const leaves = columns.map(
    (column): SchemaElement => ({
      name: column.name,
      repetition_type: 'OPTIONAL',
      ...PARQUET_TYPES[column.physical],
      ...annotation(column.logical),
    }),
  )
  return [{ name: 'snapshot', num_children: columns.length }, ...leaves]
}

/** Small integers carry the older annotation alone: hyparquet-writer gives the newer one's width a type readers refuse. */
function annotation(logical: LogicalType): Partial<SchemaElement> {
  switch (logical.kind) {
    case 'none':
      return {}
    case 'int16':
      return { converted_type: 'INT_16' }
    case 'uint32':
      return { converted_type: 'UINT_32' }
    case 'string':
      return { converted_type: 'UTF8', logical_type: { type: 'STRING' } }
    case 'json':
      return { converted_type: 'JSON', logical_type: { type: 'JSON' } }
    case 'enum':
      return { converted_type: 'ENUM', logical_type: { type: 'ENUM' } }
    case 'uuid':
      return { logical_type: { type: 'UUID' } }
    case 'date':
      return { converted_type: 'DATE', logical_type: { type: 'DATE' } }
    case 'time':
      return { logical_type: { type: 'TIME', isAdjustedToUTC: false, unit: 'MICROS' } }
    case 'timestamp':
      return { logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } }
    case 'timestamptz':
      return {
        converted_type: 'TIMESTAMP_MICROS',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      }
    case 'decimal': {
      const { precision, scale } = logical
      return { converted_type: 'DECIMAL', precision, scale, logical_type: { type: 'DECIMAL', precision, scale } }
    }
  }
}
