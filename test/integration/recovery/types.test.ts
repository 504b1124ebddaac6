/** Every kind of column, with its extreme values, through capture and restore on a real server. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

/** Column type → literals of values that tend to get lost. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  boolean: ['true', 'false'],
  smallint: ['-32768', '32767', '0'],
  integer: ['-2147483648', '2147483647'],
  bigint: ['-9223372036854775808', '9223372036854775807', '9007199254740993'],
  real: ["'NaN'", "'Infinity'", "'-Infinity'", "'-0'", '1e-45', '3.4028235e38', '0.1'],
  'double precision': ["'NaN'", "'Infinity'", "'-Infinity'", "'-0'", '5e-324', '1.7976931348623157e308', '0.1'],
  numeric: [
    "'NaN'",
    "'Infinity'",
    "'-Infinity'",
    '0',
    '0.00',
    '1.0',
    '1.00',
    '-0.000000000001',
    `1e1000`,
    `-${'9'.repeat(200)}.${'8'.repeat(90)}`,
    '10000',
    '0.0001',
    '123456789.00010000',
  ],
  'numeric(12,2)': ['0', '-0.01', '9999999999.99', '1.5', '10000.00', '-10000.01'],
  'numeric(18,6)': ['999999999999.999999', '-999999999999.999999', '0.000001', '9007199254.740993'],
  'numeric(5,0)': ['99999', '-1', '0'],
  'numeric(4,4)': ['0.9999', '0.0001', '0'],
  'numeric(38,10)': ['1234567890123456789012345678.0123456789'],
  'numeric(3,-2)': ['12300', '-99900'],
  text: ["''", "'NULL'", "E'tab\\tline\\nback\\\\slash'", "'日本語 🦆'", "repeat('x', 100000)"],
  'varchar(10)': ["'ten chars.'", "''"],
  'character(5)': ["'ab'", "'  x'"],
  bpchar: ["'trailing  '", "''"],
  name: ["'a_name'"],
  '"char"': ["'x'", "''", "'\\377'"],
  bytea: [
    "'\\x'",
    "decode('00ff5c0a0d', 'hex')",
    "(SELECT string_agg(set_byte('\\x00', 0, i), '' ORDER BY i) FROM generate_series(0, 255) i)",
  ],
  uuid: ["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"],
  date: ["'infinity'", "'-infinity'", "'4713-01-01 BC'", "'5874897-12-31'", "'1970-01-01'", "'1999-12-31'"],
  time: ["'00:00:00'", "'24:00:00'", "'23:59:59.999999'"],
  timetz: ["'00:00:00+15:59'", "'24:00:00-15:59'", "'12:34:56.789+05:30'"],
  timestamp: [
    "'infinity'",
    "'-infinity'",
    "'4713-01-01 00:00:00 BC'",
    "'294276-12-31 23:59:59.999999'",
    "'1969-12-31 23:59:59.999999'",
    "'294247-01-10 04:00:54.775807'",
    "'2000-01-01'",
  ],
  timestamptz: [
    "'infinity'",
    "'-infinity'",
    "'4713-01-01 00:00:00+00 BC'",
    "'294276-12-31 23:59:59.999999+00'",
    "'2024-02-29 12:00:00.000001+13:45'",
  ],
  interval: ["'178000000 years'", "'-178000000 years'", "'1 mon -1 day 00:00:00.000001'", "'infinity'", "'-infinity'"],
  json: [`'{"b": 1,  "a":2, "a" : 3 }'`, `'null'`, `'"\\u00e9"'`],
  jsonb: [`'{"b": 1, "a": [1, 2.50, null]}'`, `'1e400'`, `'null'`],
  jsonpath: [`'$.a[*] ? (@.b > 1)'`],
  xml: [`'<?xml version="1.0" encoding="UTF-8"?><a> x </a>'`, `'<b/>text'`],
  'bit(5)': ["B'10101'", "B'00000'"],
  'bit varying': ["B''", `B'${'10'.repeat(70)}'`],
  inet: ["'192.168.1.5/24'", "'::1'", "'10.0.0.0/8'"],
  cidr: ["'10.0.0.0/8'", "'2001:db8::/32'"],
  macaddr: ["'08:00:2b:01:02:03'"],
  macaddr8: ["'08:00:2b:01:02:03:04:05'"],
  money: ["'-92233720368547758.08'", "'92233720368547758.07'", "'0'"],
  oid: ['0', '4294967295'],
  regclass: ["'pg_class'", "'0'"],
  regtype: ["'integer'"],
  xid8: ["'18446744073709551615'"],
  pg_lsn: ["'FFFFFFFF/FFFFFFFF'", "'0/0'"],
  tid: ["'(4294967295,65535)'"],
  point: ["'(1.1,-0)'", "'(NaN,Infinity)'"],
  line: ["'{1,-1,0.1}'"],
  lseg: ["'[(0,0),(1,1)]'"],
  box: ["'(1,1),(0,0)'"],
  path: ["'[(0,0),(1,1)]'", "'((0,0),(1,1))'"],
  polygon: ["'((0,0),(1,1),(2,0))'"],
  circle: ["'<(0,0),1.5>'"],
  tsvector: [`'a:1A b:2,3B ''it''''s'':4'`],
  tsquery: [`'a & !b | c:*'`, `'a <2> b'`],
  pg_snapshot: ["'10:20:10,14,15'"],
  int2vector: ["'1 2 3'"],
  oidvector: ["'1 2 3'"],
  'integer[]': ["'{}'", "'{NULL,1,NULL}'", "'[-2:0]={1,2,3}'", "'{{1,2},{3,4}}'", "'[0:1][5:6]={{1,2},{3,NULL}}'"],
  'text[]': [`'{"",NULL,"NULL","a\\"b\\\\c","{}"}'`],
  'double precision[]': ["'{NaN,-0,0.1,Infinity}'"],
  'timestamptz[]': ["'{infinity,2024-02-29 12:00:00+00}'"],
  'bytea[]': ["ARRAY['\\x00ff'::bytea, NULL, '\\x']"],
  'jsonb[]': [`ARRAY['{"a": 1}'::jsonb]`],
  int4range: ["'empty'", "'[1,5)'", "'(,)'"],
  numrange: ["'[1.00,2.0]'", "'(,5.50)'"],
  tstzrange: ["'[2024-01-01 00:00+00,infinity)'"],
  int8multirange: ["'{}'", "'{[1,3),[5,8)}'"],
  mood: ["'sad'", `'über "happy"'`],
  'mood[]': [`'{sad,NULL}'`],
  positive: ['1', '2147483647'],
  'positive[]': ["'{1,NULL,3}'"],
  price: ['12.30', '0.00'],
  pair: [`ROW(1, 'a,"b"')`, 'ROW(NULL, NULL)', `ROW(NULL, '')`],
  'pair[]': [`ARRAY[ROW(1,'x')::pair, NULL]`],
  floatrange: ["'[1.5,2.25)'"],
  '"Quoted Type"': ["'A'"],
  citext: ["'MiXed'"],
  hstore: [`'"a"=>NULL, "b"=>"x,y"'`],
  ltree: ["'Top.Science.Astronomy'"],
}

const SETUP = `
  CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree;
  CREATE TYPE mood AS ENUM ('sad', 'über "happy"');
  CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
  CREATE DOMAIN price AS numeric(10,2);
  CREATE TYPE pair AS (id integer, label text);
  CREATE TYPE floatrange AS RANGE (subtype = double precision);
  CREATE TYPE "Quoted Type" AS ENUM ('A');`

let db: TestDatabase
let slice: TestRecovery
const names = Object.keys(TYPES)

beforeAll(async () => {
  db = await createTestDatabase(SETUP)
  slice = await openTestRecovery(db.database)
  const seed = names.map((type, index) => {
    const rows = (TYPES[type] ?? []).map((literal, row) => `(${row}, CAST(${literal} AS ${type}))`)
    return `CREATE TABLE t${index} (id integer, v ${type}); INSERT INTO t${index} VALUES ${rows.join(', ')}, (-1, NULL);`
  })
  await db.run(seed.join('\n'))
})

afterAll(async () => {
  await slice?.close()
  await db?.drop()
})

test('there are types to try', () => {
  expect(names.length).toBeGreaterThanOrEqual(70)
})

test.for(names)('%s survives capture and restore with every value', async (type) => {
  const table = `t${names.indexOf(type)}`
  const point = await slice.recovery.capture({ schema: 'public', name: table }, 'manual')
  expect(point.rowCount).toBe((TYPES[type]?.length ?? 0) + 1)
  const report = await slice.recovery.restore({ snapshotId: point.snapshotId })
  expect(report.notRebuilt).toEqual([])
  const restored = `${table}_recovered`
  const shape = (name: string) =>
    `SELECT json_agg(ROW(attname, format_type(atttypid, atttypmod), attcollation) ORDER BY attnum)::text AS shape
       FROM pg_attribute WHERE attrelid = '${name}'::regclass AND attnum > 0`
  expect(await db.run(shape(restored))).toEqual(await db.run(shape(table)))
  const content = (name: string) => `SELECT id, v::text AS text, v IS NULL AS is_null FROM ${name} ORDER BY id`
  expect(await db.run(content(restored))).toEqual(await db.run(content(table)))
})
