/** Which tables lose rows, columns or themselves: destructive targets, their children, and what cascades reach. */
import type { RelationName } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'

/** How the statement destroys, which decides what a cascade follows. */
export type LossKind = 'delete' | 'update' | 'truncate' | 'truncate-cascade' | 'drop' | 'drop-cascade' | 'alter'

export interface LossRoot {
  readonly oid: number
  readonly kind: LossKind
}

/**
 * $1 the tables' OIDs, $2 the cascade to follow.
 * A view leads to the tables that it reads: its rules and INSTEAD OF triggers write there or anywhere, and the row guard counts.
 * ON DELETE CASCADE, SET NULL and SET DEFAULT change rows of the referencing table; so do the same actions ON UPDATE.
 */
const LOSING_QUERY = `
WITH RECURSIVE losing AS (
  SELECT o AS oid FROM unnest($1::oid[]) o
  UNION
  SELECT next.oid FROM losing l CROSS JOIN LATERAL (
    SELECT i.inhrelid AS oid FROM pg_catalog.pg_inherits i WHERE i.inhparent = l.oid
    UNION ALL
    SELECT c.conrelid FROM pg_catalog.pg_constraint c WHERE c.confrelid = l.oid AND c.contype = 'f'
      AND CASE $2::text WHEN 'delete' THEN c.confdeltype IN ('c', 'n', 'd') WHEN 'update' THEN c.confupdtype IN ('c', 'n', 'd')
          WHEN 'truncate-cascade' THEN true ELSE false END
    UNION ALL
    SELECT d.refobjid FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_depend d
      ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
      WHERE w.ev_class = l.oid AND d.refobjid <> l.oid AND $2::text IN ('delete', 'update')
  ) next
)
SELECT DISTINCT n.nspname AS schema, c.relname AS name
FROM losing l JOIN pg_catalog.pg_class c ON c.oid = l.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2`

/** Follow every root in its own way; each table once, in order of name. Partitioned parents hold no rows and are left out. */
export async function findLosingTables(
  session: DatabaseSession,
  roots: readonly LossRoot[],
): Promise<readonly RelationName[]> {
  const found = new Map<string, RelationName>()
  for (const kind of new Set(roots.map((root) => root.kind))) {
    const oids = roots.filter((root) => root.kind === kind).map((root) => root.oid)
    for (const row of await session.query<RelationName>(LOSING_QUERY, [oids, kind])) {
      found.set(JSON.stringify([row.schema, row.name]), row)
    }
  }
  return [...found.values()].sort((left, right) => (left.schema + left.name < right.schema + right.name ? -1 : 1))
}

const RELATED_QUERY = `
WITH RECURSIVE related AS (
  SELECT o AS oid FROM unnest($1::oid[]) o
  UNION
  SELECT CASE WHEN c.conrelid = r.oid THEN c.confrelid ELSE c.conrelid END
  FROM related r JOIN pg_catalog.pg_constraint c ON c.contype = 'f' AND r.oid IN (c.conrelid, c.confrelid)
)
SELECT n.nspname AS schema, c.relname AS name FROM related r JOIN pg_catalog.pg_class c ON c.oid = r.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' ORDER BY 1, 2`

/** Every table that foreign keys join to these, in both directions, these included. */
export function findRelatedTables(session: DatabaseSession, oids: readonly number[]): Promise<readonly RelationName[]> {
  return session.query<RelationName>(RELATED_QUERY, [[...oids]])
}

const PARTITIONED_QUERY = `
WITH RECURSIVE above AS (
  SELECT c.oid FROM json_to_recordset($1::json) AS t(schema text, name text)
  JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
  UNION
  SELECT i.inhparent FROM above a JOIN pg_catalog.pg_inherits i ON i.inhrelid = a.oid
)
SELECT n.nspname AS schema, c.relname AS name FROM above a JOIN pg_catalog.pg_class c ON c.oid = a.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'p' ORDER BY 1, 2`

/** Every partitioned table that one of these is a partition of, through all levels. */
export function findPartitionedTables(
  session: DatabaseSession,
  tables: readonly RelationName[],
): Promise<readonly RelationName[]> {
  const names = JSON.stringify(tables.map(({ schema, name }) => ({ schema, name })))
  return session.query<RelationName>(PARTITIONED_QUERY, [names])
}
