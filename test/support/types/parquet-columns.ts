/** Columns whose Parquet form other readers understand, with a way of asking each reader for the same thing. */

/** How a value is compared: as true or false, as text, as hexadecimal bytes, in days or microseconds since 1970, or by the bits of a double. */
export type Form = 'truth' | 'text' | 'bytes' | 'days' | 'micros' | 'bits'

export interface ParquetColumn {
  readonly name: string
  readonly type: string
  /** As DuckDB describes it. */
  readonly duckType: string
  readonly form: Form
  /** SQL literals. */
  readonly values: readonly string[]
}

const q = (...texts: string[]) => texts.map((text) => `'${text.replaceAll("'", "''")}'`)
const INSTANTS = q(
  '1969-12-31 23:59:59.999999+00',
  '1970-01-01 00:00:00+00',
  '0001-01-01 00:00:00+00',
  '2024-02-29 12:34:56.000001+00',
  '9999-12-31 23:59:59.999999+00',
)

export const PARQUET_COLUMNS: readonly ParquetColumn[] = [
  { name: 'flag', type: 'boolean', duckType: 'BOOLEAN', form: 'truth', values: ['true', 'false'] },
  { name: 'small', type: 'smallint', duckType: 'SMALLINT', form: 'text', values: q('-32768', '32767') },
  { name: 'whole', type: 'integer', duckType: 'INTEGER', form: 'text', values: q('-2147483648', '2147483647') },
  {
    name: 'big',
    type: 'bigint',
    duckType: 'BIGINT',
    form: 'text',
    values: q('-9223372036854775808', '9223372036854775807'),
  },
  { name: 'single', type: 'real', duckType: 'FLOAT', form: 'bits', values: q('0.1', '-0', 'Infinity', 'NaN', '1e-45') },
  {
    name: 'twice',
    type: 'double precision',
    duckType: 'DOUBLE',
    form: 'bits',
    values: q('0.1', '-0', '-Infinity', 'NaN', '5e-324'),
  },
  {
    name: 'price',
    type: 'numeric(12,2)',
    duckType: 'DECIMAL(12,2)',
    form: 'text',
    values: q('-9999999999.99', '0.00', '0.01'),
  },
  {
    name: 'share',
    type: 'numeric(18,17)',
    duckType: 'DECIMAL(18,17)',
    form: 'text',
    values: q('9.99999999999999999', '-0.00000000000000001', '0'),
  },
  {
    name: 'count',
    type: 'numeric(18,0)',
    duckType: 'DECIMAL(18,0)',
    form: 'text',
    values: q('999999999999999999', '-1'),
  },
  { name: 'free', type: 'numeric', duckType: 'VARCHAR', form: 'text', values: q('NaN', '1.10', '1e30', '-Infinity') },
  {
    name: 'wide',
    type: 'numeric(38,10)',
    duckType: 'VARCHAR',
    form: 'text',
    values: q('1234567890123456789012345678.0123456789'),
  },
  {
    name: 'note',
    type: 'text',
    duckType: 'VARCHAR',
    form: 'text',
    values: q('', 'NULL', 'a\tb\n"c"', '日本語 🦆', 'x'.repeat(9_000)),
  },
  { name: 'label', type: 'varchar(20)', duckType: 'VARCHAR', form: 'text', values: q('label') },
  { name: 'state', type: 'mood', duckType: 'VARCHAR', form: 'text', values: q('sad', 'über "happy"') },
  { name: 'raw', type: 'bytea', duckType: 'BLOB', form: 'bytes', values: q('\\x', '\\x00ff5c27') },
  {
    name: 'id',
    type: 'uuid',
    duckType: 'UUID',
    form: 'text',
    values: q(
      '00000000-0000-0000-0000-000000000000',
      'f47ac10b-58cc-4372-a567-0e02b2c3d479',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
    ),
  },
  {
    name: 'day',
    type: 'date',
    duckType: 'DATE',
    form: 'days',
    values: q('1969-12-31', '1970-01-01', '0001-01-01', '9999-12-31'),
  },
  { name: 'hour', type: 'time', duckType: 'TIME', form: 'micros', values: q('00:00:00', '23:59:59.999999') },
  { name: 'moment', type: 'timestamp', duckType: 'TIMESTAMP', form: 'micros', values: INSTANTS },
  { name: 'instant', type: 'timestamptz', duckType: 'TIMESTAMP WITH TIME ZONE', form: 'micros', values: INSTANTS },
  {
    name: 'plain_json',
    type: 'json',
    duckType: 'JSON',
    form: 'text',
    values: q('{"b": 1,  "a":2, "a" : 3 }', ' [ ] '),
  },
  {
    name: 'binary_json',
    type: 'jsonb',
    duckType: 'JSON',
    form: 'text',
    values: q('{"b": 1, "a": [1, 2.50, null]}', 'null'),
  },
  { name: 'object', type: 'oid', duckType: 'UINTEGER', form: 'text', values: q('0', '4294967295') },
  { name: 'list', type: 'integer[]', duckType: 'VARCHAR', form: 'text', values: q('{}', '[0:1]={NULL,1}') },
  { name: 'span', type: 'interval', duckType: 'VARCHAR', form: 'text', values: q('1 mon -1 day 00:00:00.000001') },
  { name: 'address', type: 'inet', duckType: 'VARCHAR', form: 'text', values: q('10.0.0.1/8', '::1') },
  { name: 'nothing', type: 'integer', duckType: 'INTEGER', form: 'text', values: [] },
]

export const PARQUET_SETUP = `CREATE TYPE mood AS ENUM ('sad', 'über "happy"')`

/** A table of them: `key` counts the rows, and each column has its values in turn, with a NULL between. */
export function parquetTable(name: string, rowCount: number): string {
  const columns = PARQUET_COLUMNS.map((column) => `"${column.name}" ${column.type}`)
  const values = PARQUET_COLUMNS.map(({ type, values: all }) =>
    all.length === 0 ? 'NULL' : `(ARRAY[${[...all, 'NULL'].join(', ')}]::${type}[])[1 + i % ${all.length + 1}]`,
  )
  // An array of arrays has more dimensions than one: such columns come from text.
  const list = values.map((value, index) =>
    PARQUET_COLUMNS[index]?.type.endsWith('[]') === true
      ? `(ARRAY[${[...(PARQUET_COLUMNS[index]?.values ?? []), 'NULL'].join(', ')}])[1 + i % 3]::${PARQUET_COLUMNS[index]?.type}`
      : value,
  )
  return `CREATE TABLE ${name} (key integer, ${columns.join(', ')});
    INSERT INTO ${name} SELECT i, ${list.join(', ')} FROM generate_series(1, ${rowCount}) i`
}

const POSTGRES: Readonly<Record<Form, (column: string) => string>> = {
  truth: (column) => `${column}::text`,
  text: (column) => `format('%s', ${column})`,
  bytes: (column) => `encode(${column}, 'hex')`,
  days: (column) => `(${column} - date '1970-01-01')::text`,
  micros: (column) => `(extract(epoch FROM ${column}) * 1000000)::bigint::text`,
  bits: (column) => `encode(float8send(${column}::float8), 'hex')`,
}

/** What PostgreSQL itself says: one row of texts for each row of the table, in the order of `key`. */
export function postgresQuery(table: string): string {
  const list = PARQUET_COLUMNS.map(
    ({ name, form }) => `CASE WHEN "${name}" IS NOT NULL THEN ${POSTGRES[form](`"${name}"`)} END AS "${name}"`,
  )
  return `SET timezone TO 'UTC'; SELECT ${list.join(', ')} FROM ${table} ORDER BY key`
}
