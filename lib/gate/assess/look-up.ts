/** The two catalog look-ups: names → what they are, and objects → the text that defines them. */
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { DefinitionRow, FunctionRow, NameLookup } from './catalog-rows.ts'
import { lookFirst } from './look-first.ts'
import { FIRST_USER_OID, INTERNAL_LANGUAGES, type NamesToLookUp } from './names.ts'

const FUNCTION_COLUMNS = `
  p.oid::int8::float8 AS oid, n.nspname AS schema, p.proname AS name, p.prokind AS kind, p.provolatile AS volatility,
  format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)) AS identity,
  p.prosecdef AS "isSecurityDefiner", l.lanname AS language, l.lanpltrusted AS "isTrustedLanguage",
  CASE l.lanname WHEN 'internal' THEN p.prosrc END AS "internalName",
  EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid
          AND d.deptype = 'e') AS "isOfExtension",
  encode(sha256(convert_to(concat_ws(chr(31), p.prosrc, p.probin, p.prosqlbody::text, p.proconfig::text, p.provolatile,
         p.prosecdef, l.lanname), 'UTF8')), 'hex') AS "bodySha256"`

const FUNCTION_SOURCES = `pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang`

const FOREIGN_BELOW = `CASE WHEN c.relkind = 'f' THEN true WHEN NOT c.relhassubclass THEN false ELSE EXISTS (
  WITH RECURSIVE below AS (
    SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid
    UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN below b ON i.inhparent = b.inhrelid)
  SELECT FROM below JOIN pg_catalog.pg_class k ON k.oid = below.inhrelid WHERE k.relkind = 'f') END`

/**
 * $1 schemas (null: by search path), $2 relation names, $3 function names, $4 operator symbols, $5 look everywhere,
 * $6 and $7 schemas and names of types, $8 schemas of functions, $9 names that may be functions of a row.
 *
 * `ambient` are functions that no text has to name: comparing, sorting and grouping, making a range, and the checks of domains
 * inside other types. Those in C and inside the server are trusted.
 */
const NAMES_QUERY = `
SELECT
  (SELECT coalesce(json_agg(r), '[]') FROM (
    SELECT w.written::int - 1 AS written, coalesce(c.oid::int8, 0) AS oid, n.nspname AS schema, c.relname AS name,
           c.relkind AS kind, c.relrowsecurity AS "hasRowSecurity", c.relhassubclass AS "hasChildren",
           c.reltuples::float8 AS "estimatedRows", ${FOREIGN_BELOW} AS "reachesForeign"
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(schema, name, written)
    LEFT JOIN pg_catalog.pg_class c ON c.oid = to_regclass(concat_ws('.', quote_ident(w.schema), quote_ident(w.name)))
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace) r) AS relations,
  (SELECT coalesce(json_agg(f), '[]') FROM (
    SELECT ${FUNCTION_COLUMNS} FROM ${FUNCTION_SOURCES}
    WHERE p.oid = ANY (ARRAY(
      SELECT named.oid FROM pg_catalog.pg_proc named JOIN pg_catalog.pg_namespace ns ON ns.oid = named.pronamespace
      WHERE named.proname = ANY ($3::text[]) AND named.oid >= ${FIRST_USER_OID}
        AND ($5::bool OR ns.nspname = ANY (current_schemas(true)) OR ns.nspname = ANY ($8::text[]))
      UNION ALL
      SELECT of_row.oid FROM pg_catalog.pg_proc of_row JOIN pg_catalog.pg_type t ON t.oid = of_row.proargtypes[0]
      WHERE of_row.proname = ANY ($9::text[]) AND of_row.oid >= ${FIRST_USER_OID} AND t.typtype IN ('c', 'p')
      UNION ALL
      SELECT o.oprcode::oid FROM pg_catalog.pg_operator o
      WHERE o.oid >= ${FIRST_USER_OID} AND o.oprname = ANY ($4::text[])))) f) AS functions,
  (SELECT coalesce(json_agg(p.oid::int8), '[]') FROM pg_catalog.pg_proc p
    WHERE p.prolang NOT IN (${INTERNAL_LANGUAGES}) AND p.oid = ANY (ARRAY(
      SELECT o.oprcode::oid FROM pg_catalog.pg_operator o WHERE o.oid >= ${FIRST_USER_OID}
      UNION ALL SELECT m.amproc::oid FROM pg_catalog.pg_amproc m WHERE m.oid >= ${FIRST_USER_OID}
      UNION ALL SELECT r.rngsubdiff::oid FROM pg_catalog.pg_range r WHERE r.rngtypid >= ${FIRST_USER_OID}
      UNION ALL SELECT r.rngcanonical::oid FROM pg_catalog.pg_range r WHERE r.rngtypid >= ${FIRST_USER_OID}
      UNION ALL SELECT d.refobjid FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_depend d
        ON d.classid = 'pg_catalog.pg_constraint'::regclass AND d.objid = k.oid AND d.refclassid = 'pg_catalog.pg_proc'::regclass
        WHERE k.contypid >= ${FIRST_USER_OID}))) AS ambient,
  (SELECT coalesce(json_agg(k), '[]') FROM (
    SELECT c.castfunc::int8 AS "functionOid", ARRAY[s.typname, t.typname] AS "typeNames", c.castcontext AS context,
           s.oid < ${FIRST_USER_OID} AND t.oid < ${FIRST_USER_OID} AS "isBetweenBuiltIns",
           EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS w(schema, name) JOIN pg_catalog.pg_attribute a
                   ON a.attrelid = to_regclass(concat_ws('.', quote_ident(w.schema), quote_ident(w.name)))
                   WHERE a.attnum > 0 AND a.atttypid >= ${FIRST_USER_OID} AND a.atttypid IN (s.oid, t.oid)) AS "isOfColumn"
    FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_type s ON s.oid = c.castsource JOIN pg_catalog.pg_type t ON t.oid = c.casttarget
    WHERE c.oid >= ${FIRST_USER_OID} AND c.castfunc >= ${FIRST_USER_OID}
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::regclass
                      AND d.objid = c.castfunc AND d.deptype = 'e')) k) AS casts,
  (SELECT coalesce(json_agg(d.oid), '[]') FROM (
    SELECT t.oid::int8 AS oid FROM unnest($6::text[], $7::text[]) AS w(schema, name)
    JOIN pg_catalog.pg_type t ON t.oid = to_regtype(concat_ws('.', quote_ident(w.schema), quote_ident(w.name)))
    WHERE t.typtype = 'd') d) AS domains`

/** $1 views, $2 tables with policies, $3 functions, $4 domains: OIDs. */
const DEFINITIONS_QUERY = `
SELECT 'view' AS source, o::int8::float8 AS oid, pg_get_viewdef(o) AS text FROM unnest($1::oid[]) o
UNION ALL
SELECT 'policy', polrelid::int8, concat_ws(' AND ', '(' || pg_get_expr(polqual, polrelid) || ')',
       '(' || pg_get_expr(polwithcheck, polrelid) || ')') FROM pg_catalog.pg_policy WHERE polrelid = ANY ($2::oid[])
UNION ALL
SELECT 'function', p.oid::int8, pg_get_functiondef(p.oid) FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE p.oid = ANY ($3::oid[]) AND p.prokind <> 'a' AND l.lanname IN ('sql', 'plpgsql')
UNION ALL
SELECT 'aggregate', a.aggfnoid::oid::int8, f::oid::int8::text FROM pg_catalog.pg_aggregate a,
       unnest(ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn]) f
WHERE a.aggfnoid::oid = ANY ($3::oid[]) AND f::oid >= ${FIRST_USER_OID}
UNION ALL
SELECT 'domain', contypid::int8, pg_get_expr(conbin, 0) FROM pg_catalog.pg_constraint WHERE contypid = ANY ($4::oid[]) AND contype = 'c'`

/**
 * Ask what the names are, under the session's search path. The plan is the same whatever the names: callers on a hot path
 * set `plan_cache_mode = force_generic_plan`, or planning costs more than running.
 */
export async function lookUpNames(session: DatabaseSession, names: NamesToLookUp): Promise<NameLookup> {
  const first = await lookFirst(session, names)
  if (first !== undefined) return first
  const rows = await session.query<NameLookup>(
    NAMES_QUERY,
    [
      names.relations.map((relation) => relation.schema ?? null),
      names.relations.map((relation) => relation.name),
      [...names.functions],
      [...names.operators],
      names.everywhere,
      names.types.map((type) => type.schema ?? null),
      names.types.map((type) => type.name),
      [...names.functionSchemas],
      [...names.attributes],
    ],
    'backstop_names',
  )
  return rows[0] as NameLookup
}

export interface ObjectsToDefine {
  readonly views: readonly number[]
  readonly policyTables: readonly number[]
  readonly functions: readonly number[]
  readonly domains: readonly number[]
}

/** Ask for the text that defines the objects; for an aggregate, the OIDs of its functions. */
export function lookUpDefinitions(session: DatabaseSession, objects: ObjectsToDefine): Promise<DefinitionRow[]> {
  return session.query<DefinitionRow>(DEFINITIONS_QUERY, [
    [...objects.views],
    [...objects.policyTables],
    [...objects.functions],
    [...objects.domains],
  ])
}

const FUNCTIONS_QUERY = `SELECT ${FUNCTION_COLUMNS} FROM ${FUNCTION_SOURCES} WHERE p.oid = ANY ($1::oid[])`

/** Functions by OID: of triggers, aggregates and casts. */
export function lookUpFunctions(session: DatabaseSession, oids: readonly number[]): Promise<FunctionRow[]> {
  return session.query<FunctionRow>(FUNCTIONS_QUERY, [[...oids]])
}
