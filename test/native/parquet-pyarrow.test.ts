/** The Parquet files of a snapshot, read by pyarrow: the types are right, and the values are those that PostgreSQL shows. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { readWithArrow } from '#test/support/native/pyarrow.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'
import { PARQUET_COLUMNS, PARQUET_SETUP, parquetTable, postgresQuery } from '#test/support/types/parquet-columns.ts'

const ROWS = 300
/** What is random cannot be compressed: more than a part holds. */
const LARGE_ROWS = 2_300
let db: TestDatabase
let slice: TestRecovery

beforeAll(async () => {
  db = await createTestDatabase(`${PARQUET_SETUP}; ${parquetTable('wares', ROWS)}`, inject('nativeUrl'))
  slice = await openTestRecovery(db.database)
})

afterAll(async () => {
  await slice?.close()
  await db?.drop()
})

async function filesOf(name: string): Promise<string[]> {
  const point = await slice.recovery.capture({ schema: 'public', name }, 'manual')
  const { manifest } = await slice.recovery.readManifest(point.snapshotId)
  return manifest.parts.map(({ key }) => join(slice.folder, 'objects', key))
}

test('pyarrow sees the types that are meant, and each value as PostgreSQL shows it', async () => {
  const forms = PARQUET_COLUMNS.map(({ name, form, type }) => [name, type === 'uuid' ? 'text:uuid' : form] as const)
  const answer = readWithArrow(await filesOf('wares'), Object.fromEntries(forms))
  const wanted = await db.run(postgresQuery('wares'))
  let compared = 0
  for (const { name } of PARQUET_COLUMNS) {
    expect(answer.values[name], name).toEqual(wanted.map((row) => row[name]))
    const nulls = wanted.filter((row) => row[name] === null).length
    expect(answer.nulls[name], name).toBe(nulls)
    compared += ROWS - nulls
  }
  process.stdout.write(
    `pyarrow ${answer.version}: ${PARQUET_COLUMNS.length} columns, ${compared} values equal to PostgreSQL's\n`,
  )
  expect(compared).toBeGreaterThan(ROWS * 10)
  expect(answer.types).toMatchObject({
    small: 'int16',
    price: 'decimal128(12, 2)',
    day: 'date32[day]',
    hour: 'time64[us]',
    moment: 'timestamp[us]',
    instant: 'timestamp[us, tz=UTC]',
    object: 'uint32',
    note: 'string',
    raw: 'binary',
    twice: 'double',
  })
})

test('pyarrow reads several parts of several groups as one table', async () => {
  await db.run(`CREATE EXTENSION pgcrypto; CREATE TABLE large AS SELECT i AS key,
    (SELECT string_agg(gen_random_bytes(1024), '' ORDER BY j) FROM generate_series(1, 64) j WHERE i > 0) AS body FROM generate_series(1, ${LARGE_ROWS}) i`)
  const answer = readWithArrow(await filesOf('large'), { key: 'text' })
  expect(answer.groups.length).toBeGreaterThan(1)
  expect(answer.groups.flat().length).toBeGreaterThan(4)
  expect(answer.groups.flat().reduce((sum, rows) => sum + rows, 0)).toBe(LARGE_ROWS)
  expect(answer.values['key']).toEqual(Array.from({ length: LARGE_ROWS }, (_, index) => String(index + 1)))
})
