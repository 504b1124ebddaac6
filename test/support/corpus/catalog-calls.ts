/** Writes a call of every function of a schema, with NULLs and with values that would do harm if the function could. */
import type { Client } from 'pg'
import type { NamedStatement } from './statement-file.ts'

export interface CatalogCall extends NamedStatement {
  /** `name(argument types)`, as `::regprocedure` writes it. */
  readonly signature: string
  readonly volatility: 'i' | 's' | 'v'
}

interface CatalogFunction {
  readonly signature: string
  readonly schema: string
  readonly name: string
  readonly kind: 'f' | 'a' | 'w' | 'p'
  readonly volatility: 'i' | 's' | 'v'
  readonly argument_types: readonly string[]
  readonly is_aggregate_ordered: boolean
}

/** What stands for each argument type; text with $pid is replaced by a process that must stay alive. */
export type SampleSet = 'nulls' | 'plain' | 'harmful'
export const SAMPLE_SETS: readonly SampleSet[] = ['nulls', 'plain', 'harmful']

/** Types that only a call with a typed NULL can be written for. */
const PSEUDO_TYPES: Readonly<Record<string, string>> = {
  anyelement: 'integer',
  anycompatible: 'integer',
  anynonarray: 'integer',
  anycompatiblenonarray: 'integer',
  anyarray: 'integer[]',
  anycompatiblearray: 'integer[]',
  anyenum: 'public.order_status',
  anyrange: 'int4range',
  anycompatiblerange: 'int4range',
  anymultirange: 'int4multirange',
  anycompatiblemultirange: 'int4multirange',
  '"any"': 'text',
}

const PLAIN: Readonly<Record<string, string>> = {
  boolean: 'true',
  smallint: '1::smallint',
  integer: '1',
  bigint: '1::bigint',
  oid: "'public.orders'::regclass::oid",
  regclass: "'public.orders'::regclass",
  text: "'public.orders'",
  name: "'orders'::name",
  'character varying': "'orders'::varchar",
  cstring: "'orders'::cstring",
  '"any"': "'orders'::text",
  bytea: "'\\x616263'::bytea",
  jsonb: '\'{"a": 1}\'::jsonb',
  json: '\'{"a": 1}\'::json',
  pg_lsn: "'0/1000000'::pg_lsn",
  'double precision': '1.5::float8',
  real: '1.5::real',
  numeric: '1.5',
  'timestamp with time zone': "'2026-05-01'::timestamptz",
  'timestamp without time zone': "'2026-05-01'::timestamp",
  date: "'2026-05-01'::date",
  interval: "'1 second'::interval",
  'text[]': "ARRAY['orders']",
  'integer[]': 'ARRAY[1]',
  anyelement: '1',
  anyarray: 'ARRAY[1]',
  refcursor: "'c'::refcursor",
  tsquery: "'a'::tsquery",
  tsvector: "'a'::tsvector",
}

/** Numbers become a live process, texts become SQL that moves a sequence. */
const HARMFUL: Readonly<Record<string, string>> = {
  ...PLAIN,
  integer: '$pid',
  bigint: '424242::bigint',
  oid: '424242::oid',
  regclass: "'public.invoice_numbers'::regclass",
  text: "'SELECT pg_catalog.nextval(''public.invoice_numbers'')'",
  'character varying': "'work_mem'::varchar",
  name: "'shop_slot'::name",
}

/**
 * Calls of all functions of a schema that SQL can call.
 *
 * Shapes: one call a function and sample set; functions without arguments once. Those with an argument of type internal, and
 *         trigger functions, are counted in `uncallableCount`: PostgreSQL refuses to call them
 */
export async function writeCatalogCalls(
  client: Client,
  schema: string,
  witnessPid: number,
): Promise<{ calls: CatalogCall[]; functionCount: number; uncallableCount: number }> {
  const { rows } = await client.query<CatalogFunction>(ALL_FUNCTIONS, [schema])
  const callable = rows.filter(({ argument_types }) => !argument_types.includes('internal'))
  const calls = callable.flatMap((row) => {
    const sets = row.argument_types.length === 0 ? SAMPLE_SETS.slice(0, 1) : SAMPLE_SETS
    return sets.map((set) => writeCall(row, set, witnessPid))
  })
  return { calls, functionCount: rows.length, uncallableCount: rows.length - callable.length }
}

function writeCall(row: CatalogFunction, set: SampleSet, witnessPid: number): CatalogCall {
  const values = row.argument_types.map((type) => sample(type, set).replaceAll('$pid', String(witnessPid)))
  return {
    name: `${row.signature} with ${set}`,
    sql: `SELECT ${writeApplication(row, values)}`,
    parameters: [],
    signature: row.signature,
    volatility: row.volatility,
  }
}

function writeApplication(row: CatalogFunction, values: readonly string[]): string {
  const name = `${row.schema}."${row.name}"`
  if (row.kind === 'w') return `${name}(${values.join(', ')}) OVER ()`
  if (!row.is_aggregate_ordered) return `${name}(${values.join(', ')})`
  const last = values.at(-1)
  const direct = values.slice(0, -1).join(', ')
  return `${name}(${direct}) WITHIN GROUP (ORDER BY ${last ?? '1'})`
}

function sample(type: string, set: SampleSet): string {
  const value = set === 'nulls' ? undefined : (set === 'plain' ? PLAIN : HARMFUL)[type]
  return value ?? `NULL::${PSEUDO_TYPES[type] ?? type}`
}

const ALL_FUNCTIONS = `
  SELECT p.oid::regprocedure::text AS signature, p.pronamespace::regnamespace::text AS schema, p.proname AS name, p.prokind::text AS kind, p.provolatile::text AS volatility,
    ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY a(t, n) ORDER BY n) AS argument_types,
    coalesce((SELECT aggkind <> 'n' FROM pg_aggregate WHERE aggfnoid = p.oid), false) AS is_aggregate_ordered
  FROM pg_proc p
  WHERE p.pronamespace = $1::regnamespace AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
  ORDER BY 1`
