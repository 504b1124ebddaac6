/** What has to be known of a changed table to read its rows exactly and to find them again. */
import type { RelationName } from '#lib/kernel/index.ts'
import { quoteIdentifier } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { UndoColumn, UndoTable } from './model.ts'

/** A table that holds rows, and the table through which they are written: for a partition the one at the top. */
export interface DescribedTable {
  readonly oid: string
  readonly leaf: RelationName
  readonly root: RelationName
  readonly isPartitioned: boolean
  readonly isTemporary: boolean
  readonly sizeBytes: number
  readonly pageCount: number
  readonly columns: readonly UndoColumn[]
  readonly key: UndoTable['key']
  /** Set where the rows cannot be read exactly. */
  readonly problem: string | null
}

/** Generated columns follow from the others; regclass by number, because its names mean what they mean at the time. */
const DESCRIBE_SQL = `
WITH given AS (
  SELECT n.nspname AS schema, c.relname AS name, c.oid, c.relkind, c.relpersistence,
         coalesce(pg_catalog.pg_partition_root(c.oid), c.oid)::oid AS root
  FROM unnest($1::text[], $2::text[]) g(schema, name)
  JOIN pg_catalog.pg_namespace n ON n.nspname = g.schema JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = g.name
)
SELECT g.oid::text AS oid, json_build_object('schema', g.schema, 'name', g.name) AS leaf, json_build_object('schema', rn.nspname, 'name', r.relname) AS root,
  r.relkind = 'p' AS "isPartitioned", g.relpersistence = 't' AS "isTemporary",
  pg_catalog.pg_relation_size(g.oid)::float8 AS "sizeBytes",
  (pg_catalog.pg_relation_size(g.oid) / pg_catalog.current_setting('block_size')::int8)::float8 AS "pageCount",
  CASE WHEN g.relkind <> 'r' OR g.schema IN ('pg_catalog', 'information_schema') THEN g.schema || '.' || g.name || ' is no table of rows'
       WHEN pg_catalog.current_setting('server_encoding') = 'SQL_ASCII' THEN 'the database has no encoding (SQL_ASCII)' END AS problem,
  (SELECT coalesce(json_agg(json_build_object('name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
      'identity', a.attidentity, 'form', CASE base.oid WHEN 142 THEN 'xml' WHEN 2205 THEN 'oid' ELSE 'text' END) ORDER BY a.attnum), '[]')
   FROM pg_catalog.pg_attribute a CROSS JOIN LATERAL (
     WITH RECURSIVE b AS (
       SELECT t.oid, t.typtype, t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
       UNION ALL SELECT t.oid, t.typtype, t.typbasetype FROM b JOIN pg_catalog.pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd')
     SELECT b.oid FROM b WHERE b.typtype <> 'd') base
   WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
  (SELECT k.columns FROM (
     SELECT i.indisprimary, json_agg(json_build_object('name', a.attname,
         'operator', format('OPERATOR(%I.%s)', opn.nspname, op.oprname)) ORDER BY p.n) AS columns, bool_and(a.attnotnull AND a.attgenerated = '') AS usable
     FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid AND ic.relam = 403
     CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnkeyatts) AS p(n)
     JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[p.n - 1]
     JOIN pg_catalog.pg_opclass oc ON oc.oid = i.indclass[p.n - 1]
     JOIN pg_catalog.pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amopstrategy = 3
       AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype
     JOIN pg_catalog.pg_operator op ON op.oid = ao.amopopr JOIN pg_catalog.pg_namespace opn ON opn.oid = op.oprnamespace
     WHERE i.indrelid = r.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
     GROUP BY i.indexrelid, i.indisprimary ORDER BY i.indisprimary DESC, i.indexrelid) k
   WHERE k.usable LIMIT 1) AS key
FROM given g JOIN pg_catalog.pg_class r ON r.oid = g.root JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
ORDER BY g.schema, g.name`

/** Settings must be FIXED_SETTINGS: names of types are read with their schemas. Tables that are gone are left out. */
export function describeTables(
  session: DatabaseSession,
  tables: readonly RelationName[],
): Promise<readonly DescribedTable[]> {
  const schemas = tables.map((table) => table.schema)
  const names = tables.map((table) => table.name)
  return session.query<DescribedTable>(DESCRIBE_SQL, [schemas, names])
}

/** The text of each column's value in a row called `t`: of the type's own output, past any cast. */
export function valueTexts(columns: readonly UndoColumn[]): readonly string[] {
  return columns.map(({ name, form }) => {
    const column = `t.${quoteIdentifier(name)}`
    if (form === 'xml') return `${column}::text`
    if (form === 'oid') return `${column}::oid::text`
    // A composite of NULLs IS NULL and yet is a value.
    return `CASE WHEN ${column} IS DISTINCT FROM NULL THEN format('%s', ${column}) END`
  })
}

/** A text as a value of the column again. */
export function valueSql({ type, form }: UndoColumn, text: string): string {
  return form === 'oid' ? `${text}::pg_catalog.oid::${type}` : `${text}::${type}`
}
