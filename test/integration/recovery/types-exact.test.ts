/** Every type that a column can have, built in or a user's, comes back bit for bit; what cannot be kept is refused by name. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { quoteIdentifier } from '#lib/kernel/index.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'
import { BASE_VALUES } from '#test/support/types/base-values.ts'
import type { ExactColumn } from '#test/support/types/exact.ts'
import { differingColumns } from '#test/support/types/exact.ts'
import { Expressions } from '#test/support/types/expressions.ts'
import type { CatalogType, TypeGraph } from '#test/support/types/type-graph.ts'
import { partsOf, readTypes } from '#test/support/types/type-graph.ts'
import {
  EXTENSIONS,
  MODIFIED,
  REFUSED_EXTENSION_TYPES,
  USER_TYPES_SQL,
  USER_VALUES,
} from '#test/support/types/user-types.ts'

/** Set it to run a failure again. */
const SEED = Number(process.env['BACKSTOP_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const TYPES_PER_TABLE = 24
const ROWS_PER_TABLE = 8
const RUNS_PER_TABLE = 2
/** PostgreSQL 18 has 319 built-in types that hold values, and as many rows and arrays of rows of its own catalog. */
const MINIMUM_BUILT_IN = 500

/** Built-in types whose values cannot be read back from any form; a column that holds one is refused. */
const REFUSED: Readonly<Record<string, string>> = {
  pg_node_tree: 'parsed expressions: no input function',
  gtsvector: 'keys of text search indexes: no input function',
  pg_ndistinct: 'statistics: no input function',
  pg_dependencies: 'statistics: no input function',
  pg_mcv_list: 'statistics: no input function',
  pg_brin_bloom_summary: 'keys of BRIN indexes: no input function',
  pg_brin_minmax_multi_summary: 'keys of BRIN indexes: no input function',
}

let db: TestDatabase
let slice: TestRecovery
let graph: TypeGraph
let covered: readonly CatalogType[]
let refused: readonly CatalogType[]
let impossible: readonly CatalogType[]

const isOf = (type: CatalogType, test: (part: CatalogType) => boolean) => partsOf(graph, type.oid).some(test)
const refusal = ({ name }: CatalogType) => name in REFUSED || name in REFUSED_EXTENSION_TYPES

beforeAll(async () => {
  const available = await (async () => {
    const probe = await createTestDatabase()
    const rows = await probe.run('SELECT name FROM pg_available_extensions')
    await probe.drop()
    return new Set(rows.map((row) => String(row['name'])))
  })()
  const missing = Object.keys(EXTENSIONS).filter((name) => !available.has(name))
  if (missing.length > 0) process.stdout.write(`NOT TRIED, for want of the extension: ${missing.join(', ')}\n`)
  const extensions = Object.keys(EXTENSIONS).filter((name) => available.has(name))
  db = await createTestDatabase(extensions.map((name) => `CREATE EXTENSION ${name};`).join('') + USER_TYPES_SQL)
  slice = await openTestRecovery(db.database)
  graph = await readTypes(db)
  const all = [...graph.values()]
  // A pseudo-type is what the server takes for a parameter and never for a column.
  impossible = all.filter((type) => isOf(type, ({ kind }) => kind === 'p'))
  refused = all.filter((type) => !impossible.includes(type) && isOf(type, refusal))
  covered = all.filter((type) => !impossible.includes(type) && !refused.includes(type))
})

afterAll(async () => {
  await slice?.close()
  await db?.drop()
})

function typeNamed(types: TypeGraph, sql: string, name: string): ExactColumn {
  const type = [...types.values()].find((one) => one.sql === sql)
  if (type === undefined) throw new Error(`no type ${sql}`)
  return { name, type }
}

const tableOf = (columns: readonly ExactColumn[]) =>
  `CREATE TABLE public.g (id integer, ${columns.map(({ name, type }) => `${quoteIdentifier(name)} ${type.sql}`).join(', ')})`

async function roundTrip(
  columns: readonly ExactColumn[],
  rows: readonly (readonly (string | null)[])[],
): Promise<void> {
  const values = rows.map((row, id) => `(${id}, ${row.map((value) => value ?? 'NULL').join(', ')})`)
  await db.run(`DROP TABLE IF EXISTS public.g, public.g_recovered; ${tableOf(columns)};
    ${values.map((value) => `INSERT INTO public.g VALUES ${value};`).join('\n')}`)
  const point = await slice.recovery.capture({ schema: 'public', name: 'g' }, 'manual')
  const report = await slice.recovery.restore({ snapshotId: point.snapshotId })
  expect(report.notRebuilt).toEqual([])
  expect(report.rowCount).toBe(rows.length)
  expect(await differingColumns(db, graph, columns, 'public.g', 'public.g_recovered')).toEqual({})
}

interface Subject {
  readonly type: CatalogType
  readonly edges: readonly string[]
  readonly value: fc.Arbitrary<string>
}

/** As the catalog calls a type without its modifier. */
const PLAIN: Readonly<Record<string, string>> = {
  character: 'bpchar',
  bit: '"bit"',
  'interval year to month': 'interval',
}

/** Every type that is covered, and some of them with modifiers. */
function subjectsOf(): Subject[] {
  const expressions = new Expressions(graph, { ...BASE_VALUES, ...USER_VALUES })
  const plain = covered.map((type) => ({ type, edges: expressions.edges(type.oid), value: expressions.of(type.oid) }))
  const modified = Object.entries(MODIFIED).map(([sql, { edges, random }]) => {
    const name = sql.replace(/\(.*?\)/, '')
    const { type } = typeNamed(graph, PLAIN[name] ?? name, 'v')
    const cast = (text: string) => `CAST(${text} AS ${sql})`
    return { type: { ...type, sql }, edges: edges.map(cast), value: random.map(cast) }
  })
  return [...plain, ...modified]
}

test('every type of the catalog is tried, refused with a reason, or no type of a column', async () => {
  const builtIn = covered.filter(({ isBuiltIn }) => isBuiltIn)
  expect(builtIn.length).toBeGreaterThanOrEqual(MINIMUM_BUILT_IN)
  const expressions = new Expressions(graph, { ...BASE_VALUES, ...USER_VALUES })
  // Throws for a type that nobody wrote values for.
  for (const { oid } of covered) expressions.of(oid)
  expect(Object.keys(REFUSED).filter((name) => !refused.some((type) => type.name === name))).toEqual([])
  for (const { sql } of impossible)
    await expect(db.run(`CREATE TABLE public.never (v ${sql})`), sql).rejects.toMatchObject({ code: '42P16' })
})

test('a column that cannot be kept exactly is refused by name before anything is stored', {
  timeout: 120_000,
}, async () => {
  expect(refused.length).toBeGreaterThan(Object.keys(REFUSED).length)
  for (const { sql } of refused.filter((type) => !isOf(type, ({ name }) => name in REFUSED_EXTENSION_TYPES))) {
    await db.run(`DROP TABLE IF EXISTS public.refused; CREATE TABLE public.refused (v ${sql})`)
    const capture = slice.recovery.capture({ schema: 'public', name: 'refused' }, 'manual')
    await expect(capture, sql).rejects.toMatchObject({ code: 'COLUMN_TYPE_UNSUPPORTED' })
  }
})

test('values of a type whose input function refuses them are refused at the capture, and not at the restore', async () => {
  await db.run(`CREATE TYPE app.one_way;
    CREATE FUNCTION app.one_way_in(cstring) RETURNS app.one_way LANGUAGE internal IMMUTABLE STRICT AS 'gtsvectorin';
    CREATE FUNCTION app.one_way_out(app.one_way) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
    CREATE TYPE app.one_way (INPUT = app.one_way_in, OUTPUT = app.one_way_out, LIKE = text);
    CREATE CAST (text AS app.one_way) WITHOUT FUNCTION;
    CREATE TABLE app.keys (id integer, v app.one_way); INSERT INTO app.keys VALUES (1, NULL)`)
  expect((await slice.recovery.capture({ schema: 'app', name: 'keys' }, 'manual')).rowCount).toBe(1)
  await db.run(`INSERT INTO app.keys VALUES (2, 'x'::text::app.one_way)`)
  const capture = slice.recovery.capture({ schema: 'app', name: 'keys' }, 'manual')
  await expect(capture).rejects.toMatchObject({ code: 'COLUMN_TYPE_UNSUPPORTED' })
})

test('a cast that a user made from text has no part in it', async () => {
  await db.run(`CREATE TYPE app.level AS (depth integer);
    CREATE FUNCTION app.level_of(text) RETURNS app.level LANGUAGE sql IMMUTABLE AS 'SELECT ROW(0)::app.level';
    CREATE CAST (text AS app.level) WITH FUNCTION app.level_of(text);
    CREATE TABLE app.levels AS SELECT 1 AS id, ROW(7)::app.level AS v`)
  const point = await slice.recovery.capture({ schema: 'app', name: 'levels' }, 'manual')
  await slice.recovery.restore({ snapshotId: point.snapshotId })
  expect(await db.run('SELECT (v).depth FROM app.levels_recovered')).toEqual([{ depth: 7 }])
})

test.for([
  ['the sign of zero', 'double precision', `'0'`, `'-0'`],
  ['the scale of a number in a composite', 'app.priced', `ROW(1.0)`, `ROW(1.00)`],
  ['an empty string for NULL', 'text', 'NULL', `''`],
  ['a composite of NULLs for NULL', 'app.pair', 'NULL', 'ROW(NULL, NULL)'],
  ['the bounds of an array', 'integer[]', `'{1}'`, `'[0:0]={1}'`],
  ['a declaration of XML', 'xml', `'<a/>'`, `'<?xml version="1.0" encoding="UTF-8"?><a/>'`],
  ['a declaration in an array of XML', 'xml[]', `ARRAY['<a/>']`, `ARRAY['<?xml version="1.0" encoding="UTF-8"?><a/>']`],
] as const)('the comparison of this suite sees %s', async ([, sql, left, right]) => {
  await db.run(`DROP TABLE IF EXISTS public.l, public.r; DROP TYPE IF EXISTS app.priced; CREATE TYPE app.priced AS (price numeric);
    CREATE TABLE public.l AS SELECT 1 AS id, CAST(${left} AS ${sql}) AS v; CREATE TABLE public.r AS SELECT 1 AS id, CAST(${right} AS ${sql}) AS v`)
  const types = await readTypes(db)
  const columns = [typeNamed(types, sql, 'v')]
  expect(await differingColumns(db, types, columns, 'public.l', 'public.r')).toEqual({ v: 1 })
  expect(await differingColumns(db, types, columns, 'public.l', 'public.l')).toEqual({})
})

test('what names a dropped object comes back as the number that it is', async () => {
  await db.run(`CREATE TABLE public.gone (); CREATE TABLE public.naming (id integer, v regclass, w regclass[]);
    INSERT INTO public.naming VALUES (1, 'public.gone', ARRAY['public.gone'::regclass, NULL])`)
  const point = await slice.recovery.capture({ schema: 'public', name: 'naming' }, 'manual')
  await db.run('DROP TABLE public.gone')
  await slice.recovery.restore({ snapshotId: point.snapshotId })
  const columns = [typeNamed(graph, 'regclass', 'v'), typeNamed(graph, 'regclass[]', 'w')]
  expect(await differingColumns(db, graph, columns, 'public.naming', 'public.naming_recovered')).toEqual({})
})

test('the edges and generated values of each type come back bit for bit', { timeout: 600_000 }, async () => {
  const subjects = subjectsOf()
  const [order] = fc.sample(fc.shuffledSubarray(subjects, { minLength: subjects.length }), { numRuns: 1, seed: SEED })
  const seen = new Set<string>()
  let cases = 0
  for (let first = 0; first < subjects.length; first += TYPES_PER_TABLE) {
    const some = (order ?? []).slice(first, first + TYPES_PER_TABLE)
    const columns = some.map(({ type }, index) => ({ name: `c${index} ${type.name}`.slice(0, 60), type }))
    const edges = some.map((subject) => subject.edges)
    const depth = Math.max(...edges.map(({ length }) => length))
    const edgeRows = Array.from({ length: depth }, (_, row) => edges.map((column) => column[row] ?? null))
    const rows = fc.array(fc.tuple(...some.map(({ value }) => fc.option(value, { freq: 9 }))), {
      minLength: ROWS_PER_TABLE,
      maxLength: ROWS_PER_TABLE,
    })
    const property = fc.asyncProperty(rows, async (generated) => {
      const all = [...edgeRows, ...generated]
      await roundTrip(columns, all)
      cases += all.flat().filter((value) => value !== null).length
    })
    const run = await fc.check(property, { numRuns: RUNS_PER_TABLE, seed: SEED, endOnFailure: true })
    // The counterexample is a page of SQL: what differs, and the seed, say enough.
    const names = some.map(({ type }) => type.sql).join(', ')
    if (run.failed) throw new Error(`seed ${SEED}, table of ${names}`, { cause: run.errorInstance })
    for (const { type } of some) seen.add(type.sql)
  }
  expect(seen.size).toBe(covered.length + Object.keys(MODIFIED).length)
  const builtIn = covered.filter(({ isBuiltIn }) => isBuiltIn).length
  process.stdout.write(
    `types covered: ${seen.size} (${builtIn} built in, ${covered.length - builtIn} of users and extensions, ` +
      `${seen.size - covered.length} with modifiers), ` +
      `refused with a reason: ${refused.length}, no types of columns: ${impossible.length}, cases run: ${cases}, seed: ${SEED}\n`,
  )
})
