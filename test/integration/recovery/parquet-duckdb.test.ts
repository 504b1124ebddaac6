/** The Parquet files of a snapshot, read by DuckDB: the types are right, and the values are those that PostgreSQL shows. */
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Manifest } from '#lib/recovery/manifest/index.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'
import type { Form } from '#test/support/types/parquet-columns.ts'
import { PARQUET_COLUMNS, PARQUET_SETUP, parquetTable, postgresQuery } from '#test/support/types/parquet-columns.ts'

const ROWS = 300
let db: TestDatabase
let slice: TestRecovery
let duck: DuckDBConnection
let instance: DuckDBInstance

beforeAll(async () => {
  db = await createTestDatabase(`${PARQUET_SETUP}; ${parquetTable('wares', ROWS)}`)
  slice = await openTestRecovery(db.database)
  instance = await DuckDBInstance.create(':memory:')
  duck = await instance.connect()
})

afterAll(async () => {
  duck?.closeSync()
  instance?.closeSync()
  await slice?.close()
  await db?.drop()
})

const rowsOf = async (sql: string) => (await duck.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[]

async function captured(name: string): Promise<{ manifest: Manifest; from: string }> {
  const point = await slice.recovery.capture({ schema: 'public', name }, 'manual')
  const { manifest } = await slice.recovery.readManifest(point.snapshotId)
  const files = manifest.parts.map(({ key }) => `'${join(slice.folder, 'objects', key)}'`)
  return { manifest, from: `read_parquet([${files.join(', ')}])` }
}

/** The same question as `postgresQuery` asks PostgreSQL; doubles come as they are. */
const DUCKDB: Readonly<Record<Form, (column: string) => string>> = {
  truth: (column) => `${column}::VARCHAR`,
  text: (column) => `${column}::VARCHAR`,
  bytes: (column) => `lower(hex(${column}))`,
  days: (column) => `date_diff('day', DATE '1970-01-01', ${column})::VARCHAR`,
  micros: (column) => `epoch_us(${column})::VARCHAR`,
  bits: (column) => `${column}::DOUBLE`,
}

async function readBits(from: string, column: string): Promise<(string | null)[]> {
  const reader = await duck.runAndReadAll(`SELECT "${column}"::DOUBLE AS v FROM ${from} ORDER BY key`)
  return reader.getColumns()[0]?.map((value) => {
    if (typeof value !== 'number') return null
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleBE(value)
    return bytes.toString('hex')
  }) as (string | null)[]
}

test('each column has the type that other programs expect', async () => {
  const { from } = await captured('wares')
  const described = await rowsOf(`DESCRIBE SELECT * FROM ${from}`)
  const expected = PARQUET_COLUMNS.map(({ name, duckType }) => [name, duckType])
  expect(described.map((row) => [row['column_name'], row['column_type']])).toEqual([['key', 'INTEGER'], ...expected])
})

test('each value is the one that PostgreSQL shows', async () => {
  const { from } = await captured('wares')
  const wanted = await db.run(postgresQuery('wares'))
  expect(wanted.length).toBe(ROWS)
  const list = PARQUET_COLUMNS.map(({ name, form }) => `${DUCKDB[form](`"${name}"`)} AS "${name}"`)
  const found = await rowsOf(`SET timezone = 'UTC'; SELECT ${list.join(', ')} FROM ${from} ORDER BY key`)
  let compared = 0
  for (const { name, form } of PARQUET_COLUMNS) {
    const values = form === 'bits' ? await readBits(from, name) : found.map((row) => row[name])
    expect(values, name).toEqual(wanted.map((row) => row[name]))
    compared += values.filter((value) => value !== null).length
  }
  process.stdout.write(`DuckDB: ${PARQUET_COLUMNS.length} columns, ${compared} values equal to PostgreSQL's\n`)
  expect(compared).toBeGreaterThan(ROWS * 10)
})

test('infinity is the end of the range', async () => {
  await db.run(`CREATE TABLE ends AS SELECT v::date AS day, v::timestamp AS moment, v::timestamptz AS instant
    FROM unnest(ARRAY['infinity', '-infinity']) v`)
  const { from } = await captured('ends')
  const found = await rowsOf(`SELECT day = 'infinity'::DATE AS day, moment = 'infinity'::TIMESTAMP AS moment,
    instant = 'infinity'::TIMESTAMPTZ AS instant FROM ${from} WHERE moment > '2000-01-01'`)
  expect(found).toEqual([{ day: true, moment: true, instant: true }])
})

test('groups and their metadata are what the rows are', async () => {
  await db.run(`CREATE TABLE many AS SELECT i AS id, CASE WHEN i % 3 = 0 THEN NULL ELSE repeat(md5(i::text), 12) END AS body,
    NULL::numeric(9,3) AS nothing FROM generate_series(1, 100000) i`)
  const { manifest, from } = await captured('many')
  const key = manifest.parts[0]?.key ?? ''
  const groups =
    await rowsOf(`SELECT row_group_id, any_value(row_group_num_rows)::INTEGER AS rows, count(*)::INTEGER AS columns,
    sum(stats_null_count) FILTER (WHERE path_in_schema = 'body')::INTEGER AS body,
    sum(stats_null_count) FILTER (WHERE path_in_schema = 'nothing')::INTEGER AS nothing,
    bool_and(compression = 'ZSTD') AS is_packed FROM parquet_metadata('${join(slice.folder, 'objects', key)}') GROUP BY 1 ORDER BY 1`)
  expect(groups.length).toBeGreaterThan(1)
  const sum = (name: string) => groups.reduce((total, row) => total + Number(row[name]), 0)
  expect([sum('rows'), sum('body'), sum('nothing')]).toEqual([100_000, 33_333, 100_000])
  expect(groups.every((row) => row['columns'] === 3 && row['is_packed'] === true)).toBe(true)
  const totals =
    await rowsOf(`SELECT count(*)::INTEGER AS rows, sum(id)::BIGINT::VARCHAR AS ids, count(nothing)::INTEGER AS nothing,
    md5(string_agg(body, '' ORDER BY id)) AS bodies FROM ${from}`)
  expect(totals).toEqual(
    await db.run(`SELECT count(*)::integer AS rows, sum(id)::text AS ids, count(nothing)::integer AS nothing,
      md5(string_agg(body, '' ORDER BY id)) AS bodies FROM many`),
  )
})
