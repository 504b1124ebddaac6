/** restore(snapshot(t)) = t, for generated tables of generated values on a real server. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { quoteIdentifier, quoteLiteral } from '#lib/kernel/index.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

const RUNS = 60
const MINIMUM_TYPES = 40

const integer = (bits: bigint) => fc.bigInt(-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n).map(String)
const literal = (values: fc.Arbitrary<string>) => values.map(quoteLiteral)
const text = fc.string({ unit: 'grapheme', maxLength: 60 }).map((value) => value.replaceAll('\0', ''))
const bytes = fc.uint8Array({ maxLength: 80 }).map((value) => `\\x${Buffer.from(value).toString('hex')}`)
const double = fc.double().map((value) => (Object.is(value, -0) ? '-0' : String(value)))
const single = fc.float().map((value) => (Object.is(value, -0) ? '-0' : String(value)))
const scaled = (precision: number, scale: number) =>
  fc.oneof(
    {
      weight: 30,
      arbitrary: fc
        .bigInt(-(10n ** BigInt(precision)) + 1n, 10n ** BigInt(precision) - 1n)
        .map((value) => `${value}e-${scale}`),
    },
    { weight: 1, arbitrary: fc.constant('NaN') },
  )
const numeric = fc.oneof(
  fc.tuple(fc.bigInt(), fc.nat(60)).map(([value, scale]) => `${value}e-${scale}`),
  fc.tuple(fc.nat(9), fc.nat(300)).map(([value, exponent]) => `${value}e${exponent}`),
  fc.constantFrom('NaN', 'Infinity', '-Infinity', '0.000', '-0.10'),
)
const days = fc.oneof(
  fc.integer({ min: -2_451_000, max: 2_145_031_948 }).map((value) => `(date '2000-01-01' + ${value})`),
  fc.constantFrom(`'infinity'`, `'-infinity'`),
)
const instant = (type: string) =>
  fc.oneof(
    fc
      .bigInt(-211_813_488_000_000_000n, 9_223_371_331_199_999_999n)
      .map((value) => `(${type} '2000-01-01 00:00+00' + '${value} microseconds'::interval)`),
    fc.constantFrom(`'infinity'`, `'-infinity'`),
  )
const time = fc.nat(86_400_000).map((value) => `(time '00:00' + '${value} milliseconds'::interval)`)
const interval = fc
  .tuple(fc.integer(), fc.integer(), fc.bigInt(-(2n ** 50n), 2n ** 50n))
  .map(([months, dayCount, microseconds]) => `${months % 1_000_000} mons ${dayCount} days ${microseconds} microseconds`)
const bits = (length: { minLength?: number; maxLength: number }) =>
  fc.string({ unit: fc.constantFrom('0', '1'), ...length })
const ipv4 = fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, prefix]) => `${address}/${prefix}`)
const arrayOf = (element: fc.Arbitrary<string>) =>
  fc
    .array(fc.option(element), { maxLength: 6 })
    .map(
      (values) =>
        `{${values.map((value) => (value === null ? 'NULL' : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`)).join(',')}}`,
    )
const range = fc
  .tuple(fc.integer(), fc.nat(1000), fc.constantFrom('[', '('), fc.constantFrom(']', ')'))
  .map(
    ([from, width, open, close]) =>
      `${open}${Math.min(from, 2_000_000_000)},${Math.min(from, 2_000_000_000) + width}${close}`,
  )
const json = fc
  .tuple(fc.json({ noUnicodeString: true }), fc.constantFrom('', ' ', '\n  '))
  .map(([value, space]) => `${space}${value}${space}`.replaceAll('\\u0000', 'x'))
const pair = fc
  .tuple(fc.option(fc.integer()), fc.option(fc.string({ unit: fc.constantFrom(...'ab"\\(),\' ') })))
  .map(([id, label]) => `ROW(${id ?? 'NULL'}, ${label === null ? 'NULL' : quoteLiteral(label)})`)

/** Type → SQL expressions of its values. */
const VALUES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  boolean: fc.boolean().map(String),
  smallint: literal(integer(16n)),
  integer: literal(integer(32n)),
  bigint: literal(integer(64n)),
  real: literal(single),
  'double precision': literal(double),
  numeric: literal(numeric),
  'numeric(12,2)': literal(scaled(12, 2)),
  'numeric(18,0)': literal(scaled(18, 0)),
  'numeric(18,18)': literal(scaled(18, 18)),
  'numeric(15,7)': literal(scaled(15, 7)),
  'numeric(30,4)': literal(scaled(30, 4)),
  text: literal(text),
  'varchar(80)': literal(text.map((value) => Array.from(value).slice(0, 80).join(''))),
  'character(9)': literal(fc.string({ maxLength: 9 }).map((value) => value.replaceAll('\0', ''))),
  name: literal(fc.string({ maxLength: 20 }).map((value) => value.replaceAll('\0', ''))),
  bytea: literal(bytes),
  uuid: literal(fc.uuid()),
  date: days,
  time,
  timestamp: instant('timestamp'),
  timestamptz: instant('timestamptz'),
  timetz: literal(
    fc
      .tuple(fc.nat(23), fc.nat(59), fc.integer({ min: -15, max: 15 }))
      .map(([hour, minute, zone]) => `${hour}:${minute}:0${zone < 0 ? '-' : '+'}${Math.abs(zone)}`),
  ),
  interval: literal(interval),
  json: literal(json),
  jsonb: literal(json),
  'bit(11)': literal(bits({ minLength: 11, maxLength: 11 })),
  'bit varying': literal(bits({ maxLength: 90 })),
  inet: literal(ipv4),
  macaddr: literal(fc.uint8Array({ minLength: 6, maxLength: 6 }).map((value) => Buffer.from(value).toString('hex'))),
  money: fc.bigInt(-(2n ** 50n), 2n ** 50n).map((value) => `(${value}::numeric / 100)::money`),
  oid: literal(fc.nat(0xffffffff).map(String)),
  xid8: literal(fc.bigInt(0n, 2n ** 64n - 1n).map(String)),
  point: literal(fc.tuple(double, double).map(([x, y]) => `(${x},${y})`)),
  'integer[]': literal(arrayOf(integer(32n))),
  'text[]': literal(arrayOf(text)),
  'float8[]': literal(arrayOf(double)),
  int4range: literal(range),
  mood: literal(fc.constantFrom('sad', 'Ünhappy "x"', 'ok')),
  'mood[]': literal(arrayOf(fc.constantFrom('sad', 'ok'))),
  percent: literal(fc.nat(100).map(String)),
  pair,
  'pair[]': fc
    .array(pair, { minLength: 1, maxLength: 3 })
    .map((values) => `ARRAY[${values.map((value) => `${value}::pair`).join(',')}]`),
  citext: literal(text),
}

const table = fc.uniqueArray(fc.constantFrom(...Object.keys(VALUES)), { minLength: 1, maxLength: 9 }).chain((types) =>
  fc.tuple(
    fc.constant(types),
    fc.array(fc.tuple(...types.map((type) => fc.option(VALUES[type] as fc.Arbitrary<string>, { freq: 6 }))), {
      maxLength: 40,
      size: 'max',
    }),
  ),
)

let db: TestDatabase
let slice: TestRecovery

beforeAll(async () => {
  db = await createTestDatabase(`CREATE EXTENSION citext; CREATE TYPE mood AS ENUM ('sad', 'Ünhappy "x"', 'ok');
    CREATE DOMAIN percent AS smallint CHECK (VALUE BETWEEN 0 AND 100); CREATE TYPE pair AS (id integer, label text)`)
  slice = await openTestRecovery(db.database)
})

afterAll(async () => {
  await slice?.close()
  await db?.drop()
})

test('every generated table comes back equal', { timeout: 120_000 }, async () => {
  const seen = new Set<string>()
  let cases = 0
  let rowsCompared = 0
  const property = fc.asyncProperty(table, async ([types, rows]) => {
    cases += 1
    for (const type of types) seen.add(type)
    const columns = types.map((type, index) => `${quoteIdentifier(`c ${index} ${type}`)} ${type}`)
    const values = rows.map(
      (row) => `(${row.map((value, index) => `CAST(${value ?? 'NULL'} AS ${types[index]})`).join(', ')})`,
    )
    await db.run(`DROP TABLE IF EXISTS g, g_recovered; CREATE TABLE g (${columns.join(', ')});
      ${values.length === 0 ? '' : `INSERT INTO g VALUES ${values.join(', ')}`}`)
    const point = await slice.recovery.capture({ schema: 'public', name: 'g' }, 'manual')
    const report = await slice.recovery.restore({ snapshotId: point.snapshotId })
    expect(report.rowCount).toBe(rows.length)
    // Binary forms as well: a float's bits and a numeric's scale, beside what the text shows.
    const difference = await db.run(`SELECT count(*)::integer AS count FROM (
      (SELECT g::text, record_send(g) FROM g EXCEPT ALL SELECT r::text, record_send(r) FROM g_recovered r) UNION ALL
      (SELECT r::text, record_send(r) FROM g_recovered r EXCEPT ALL SELECT g::text, record_send(g) FROM g)) d`)
    expect(difference).toEqual([{ count: 0 }])
    rowsCompared += rows.length
  })
  await fc.assert(property, { numRuns: RUNS })
  process.stdout.write(
    `round trip: ${seen.size} of ${Object.keys(VALUES).length} types, ${cases} tables, ${rowsCompared} rows\n`,
  )
  expect(seen.size).toBeGreaterThanOrEqual(MINIMUM_TYPES)
})
