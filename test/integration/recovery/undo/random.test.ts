/** Random tables and random writes on a real server: undo is identity by the whole content, whatever the types. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openUndoWorld, type UndoWorld } from '#test/support/undo/world.ts'

/** Column type → literals of values that tend to get lost. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  boolean: ['true', 'false'],
  bigint: ['-9223372036854775808', '9007199254740993'],
  real: ["'NaN'", "'-Infinity'", "'-0'", '1e-45', '3.4028235e38', '0.1'],
  'double precision': ["'NaN'", "'Infinity'", "'-0'", '5e-324', '1.7976931348623157e308', '0.1'],
  numeric: ["'NaN'", "'Infinity'", '0.00', '1.0', '1.00', `1e1000`, `-${'9'.repeat(200)}.${'8'.repeat(90)}`],
  'numeric(12,2)': ['-0.01', '9999999999.99'],
  text: ["''", "'NULL'", `E'tab\\tline\\nback\\\\slash "q" {,}'`, "'日本語 🦆'"],
  'varchar(10)': ["'ten chars.'", "''"],
  'character(5)': ["'ab'", "'  x'"],
  '"char"': ["'x'", "''", "'\\377'"],
  name: ["'a_name'"],
  bytea: ["'\\x'", "decode('00ff5c0a0d', 'hex')"],
  uuid: ["'00000000-0000-0000-0000-000000000000'"],
  date: ["'infinity'", "'4713-01-01 BC'", "'5874897-12-31'"],
  timetz: ["'24:00:00-15:59'", "'12:34:56.789+05:30'"],
  timestamptz: ["'infinity'", "'4713-01-01 00:00:00+00 BC'", "'2024-02-29 12:00:00.000001+13:45'"],
  interval: ["'178000000 years'", "'1 mon -1 day 00:00:00.000001'", "'-00:00:00.1'"],
  json: [`'{"b": 1,  "a":2, "a" : 3 }'`, `'null'`],
  jsonb: [`'{"b": 1, "a": [1, 2.50, null]}'`, `'1e400'`, `'null'`],
  xml: [`'<?xml version="1.0" encoding="UTF-8"?><a> x </a>'`, `'<b/>text'`],
  'bit(5)': ["B'10101'"],
  'bit varying': ["B''", `B'${'10'.repeat(40)}'`],
  inet: ["'192.168.1.5/24'", "'::1'"],
  money: ["'-92233720368547758.08'", "'0'"],
  regclass: ["'pg_class'", "'-'", "'4294967295'"],
  'int[]': ["'{}'", "'{1,NULL,3}'", "'[0:1]={5,6}'", "'{{1,2},{3,4}}'"],
  'text[]': [`ARRAY['a,b', '', 'NULL', NULL, '"', E'\\\\']`],
  int4range: ["'empty'", "'[1,5)'", "'(,)'"],
  datemultirange: ["'{}'", "'{[2024-01-01,2024-02-01),[2024-03-01,)}'"],
  tsvector: [`'a:1A ''b c'':2'`],
  point: ["'(0.1,-0)'"],
  box: ["'(1,1),(0.1,0)'"],
  mood: ["'it''s ok'", "'bad'"],
  positive: ['1', '99'],
  pair: [`ROW(NULL, NULL)::pair`, `ROW(1, 'a,"b" )')::pair`],
  'pair[]': [`ARRAY[ROW(1, 'x')::pair, NULL]`],
  citext: ["'MiXed'"],
  hstore: [`'"a"=>NULL, "b"=>"x y"'`],
}
const NAMES = Object.keys(TYPES)
const PREPARE = `CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS hstore;
  CREATE TYPE mood AS ENUM ('it''s ok', 'bad'); CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE TYPE pair AS (a int, b text);`

let world: UndoWorld
const used = new Set<string>()
let cases = 0
beforeAll(async () => {
  world = await openUndoWorld(PREPARE)
})
afterAll(async () => {
  await world.close()
  process.stdout.write(`undo of random writes: ${cases} cases, ${used.size} of ${NAMES.length} types\n`)
  expect(used.size).toBeGreaterThanOrEqual(NAMES.length - 1)
})

const column = fc.constantFrom(...NAMES).chain((type) =>
  fc.record({
    type: fc.constant(type),
    values: fc.array(fc.constantFrom('NULL', ...(TYPES[type] ?? [])), { minLength: 6, maxLength: 6 }),
  }),
)
const scenario = fc.record({
  columns: fc.array(column, { minLength: 2, maxLength: 6 }),
  key: fc.constantFrom('PRIMARY KEY', 'NOT NULL UNIQUE', ''),
  write: fc.array(
    fc.record({
      kind: fc.constantFrom('insert', 'update', 'delete'),
      id: fc.integer({ min: 1, max: 8 }),
      from: fc.integer({ min: 0, max: 5 }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
})
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never

const literal = ({ type, values }: Scenario['columns'][number], index: number) => {
  const value = values[index % values.length] ?? 'NULL'
  return value === 'NULL' ? 'NULL' : `(${value})::${type}`
}

function statementsOf({ columns, key, write }: Scenario): readonly string[] {
  const names = columns.map((_, index) => `c${index}`)
  return write.map(({ kind, id, from }) => {
    const values = columns.map((one) => literal(one, from))
    if (kind === 'delete') return `DELETE FROM r WHERE id = ${id}`
    if (kind === 'update')
      return `UPDATE r SET ${names.map((name, n) => `${name} = ${values[n]}`).join(', ')} WHERE id % 4 = ${id % 4}`
    return `INSERT INTO r VALUES (${[id, ...values].join(', ')})${key === '' ? '' : ' ON CONFLICT DO NOTHING'}`
  })
}

async function seed({ columns, key }: Scenario): Promise<void> {
  const list = columns.map(({ type }, index) => `, c${index} ${type}`).join('')
  const rows = [1, 2, 3, 4, 5].map((id) => `(${[id, ...columns.map((one) => literal(one, id))].join(', ')})`)
  await world.db.run(
    `DROP TABLE IF EXISTS r; CREATE TABLE r (id int ${key}${list}); INSERT INTO r VALUES ${rows.join(', ')}`,
  )
}

it('undo is identity, and so is undoing it', { timeout: 240_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (one) => {
      await seed(one)
      const before = await world.content()
      const { auditId, kept } = await world.write(statementsOf(one).join('; '))
      const after = await world.content()
      cases += 1
      for (const { type } of one.columns) used.add(type)
      if (!kept.available) {
        expect(after).toEqual(before)
        return
      }
      const undone = await world.reverse(auditId)
      expect(await world.content()).toEqual(before)
      await world.reverse(undone.undoAuditId)
      expect(await world.content()).toEqual(after)
    }),
    { numRuns: 120 },
  )
})
