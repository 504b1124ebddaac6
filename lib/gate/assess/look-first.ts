/** The look-up that most statements need no more than: plain tables, and nothing of users or extensions that could run. */
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { NameLookup, RelationRow } from './catalog-rows.ts'
import { FIRST_USER_OID, INTERNAL_LANGUAGES, type NamesToLookUp } from './names.ts'

/**
 * `isPlain` is the answer of `NAMES_QUERY` being empty but for relations, found by existence alone: no function by a name of
 * the statement, no operator by a symbol of it, no cast, and nothing written by a user that runs without being named
 * (operators, index support, ranges, domain checks).
 *
 * $1 schemas (null: by search path), $2 relation names, $3 names of functions and of attributes, $4 operator symbols.
 */
const FIRST_QUERY = `
SELECT w.written::int - 1 AS written, coalesce(c.oid::int8, 0)::float8 AS oid, n.nspname AS schema, c.relname AS name,
       c.relkind AS kind, c.relrowsecurity AS "hasRowSecurity", c.relhassubclass AS "hasChildren",
       c.reltuples::float8 AS "estimatedRows", c.relkind = 'f' AS "reachesForeign",
  NOT EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.proname = ANY ($3::text[]) AND p.oid >= ${FIRST_USER_OID})
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_operator o WHERE o.oid >= ${FIRST_USER_OID} AND (o.oprname = ANY ($4::text[])
    OR EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.oid = o.oprcode AND p.prolang NOT IN (${INTERNAL_LANGUAGES}))))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_cast k WHERE k.oid >= ${FIRST_USER_OID})
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_amproc m JOIN pg_catalog.pg_proc p ON p.oid = m.amproc
    WHERE m.oid >= ${FIRST_USER_OID} AND p.prolang NOT IN (${INTERNAL_LANGUAGES}))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_range r WHERE r.rngtypid >= ${FIRST_USER_OID})
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint t WHERE t.contypid >= ${FIRST_USER_OID}) AS "isPlain"
FROM (SELECT) one LEFT JOIN unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(schema, name, written) ON true
LEFT JOIN pg_catalog.pg_class c ON c.oid = to_regclass(nullif(concat_ws('.', quote_ident(w.schema), quote_ident(w.name)), ''))
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`

type FirstRow = RelationRow & { readonly isPlain: boolean; readonly written: number | null }

/** Undefined when the statement reaches anything but plain tables: then the whole look-up has to answer. */
export async function lookFirst(session: DatabaseSession, names: NamesToLookUp): Promise<NameLookup | undefined> {
  if (names.types.length > 0) return undefined
  const rows = await session.query<FirstRow>(
    FIRST_QUERY,
    [
      names.relations.map((relation) => relation.schema ?? null),
      names.relations.map((relation) => relation.name),
      [...names.functions, ...names.attributes],
      [...names.operators],
    ],
    'backstop_first',
  )
  if (!rows.every((row) => row.isPlain && !row.hasChildren)) return undefined
  const relations = rows.filter((row) => row.written !== null)
  return { relations, functions: [], ambient: [], casts: [], domains: [] }
}
