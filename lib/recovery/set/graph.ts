/** Reads the tables of a database and the foreign keys, partitions and inheritance between them. */
import type { RelationName } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import { SCRATCH_MARK, SCRATCH_NAME_PATTERN } from '../scratch.ts'
import type { GraphTable, SetKey, TableGraph } from './model.ts'

const NAME = (schema: string, name: string) => `json_build_object('schema', ${schema}, 'name', ${name})`

const TABLES_SQL = `
  SELECT n.nspname AS schema, c.relname AS name, c.oid::text AS oid, c.relkind::text AS kind, c.relispartition AS "isPartition",
         coalesce((SELECT json_agg(${NAME('pn.nspname', 'p.relname')} ORDER BY i.inhseqno)
            FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
           WHERE i.inhrelid = c.oid), '[]')::text AS parents
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
     AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
     AND NOT (n.nspname ~ '${SCRATCH_NAME_PATTERN}'
              AND coalesce(starts_with(obj_description(n.oid, 'pg_namespace'), '${SCRATCH_MARK}'), false))
   ORDER BY 1, 2`

const COLUMNS = (relation: string, numbers: string) => `
  (SELECT json_agg(k.attname ORDER BY u.place) FROM unnest(${numbers}) WITH ORDINALITY u(number, place)
     JOIN pg_attribute k ON k.attrelid = ${relation} AND k.attnum = u.number)::text`

/** A key to a partitioned table has one row more for each partition of it: those say nothing new. */
const KEYS_SQL = `
  SELECT c.conname AS name, rn.nspname AS "fromSchema", r.relname AS "fromName", tn.nspname AS "toSchema", t.relname AS "toName",
         ${COLUMNS('c.conrelid', 'c.conkey')} AS columns, ${COLUMNS('c.confrelid', 'c.confkey')} AS "referencedColumns"
    FROM pg_constraint c
    JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace rn ON rn.oid = r.relnamespace
    JOIN pg_class t ON t.oid = c.confrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
   WHERE c.contype = 'f'
     AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = c.conparentid AND p.conrelid = c.conrelid)
   ORDER BY 2, 3, 1`

interface TableRow extends RelationName {
  readonly oid: string
  readonly kind: string
  readonly isPartition: boolean
  readonly parents: string
}

interface KeyRow {
  readonly name: string
  readonly fromSchema: string
  readonly fromName: string
  readonly toSchema: string
  readonly toName: string
  readonly columns: string
  readonly referencedColumns: string
}

/** As the session's snapshot sees it; what drills restore into is left out. */
export async function readGraph(session: DatabaseSession): Promise<TableGraph> {
  const tables = await session.query<TableRow>(TABLES_SQL)
  const keys = await session.query<KeyRow>(KEYS_SQL)
  return { tables: tables.map(tableOf), keys: keys.map(keyOf) }
}

function tableOf({ schema, name, oid, kind, isPartition, parents }: TableRow): GraphTable {
  return {
    relation: { schema, name },
    oid: Number(oid),
    kind: kind === 'p' ? 'partitioned table' : 'table',
    parents: JSON.parse(parents) as RelationName[],
    isPartition,
  }
}

function keyOf(row: KeyRow): SetKey {
  return {
    name: row.name,
    table: { schema: row.fromSchema, name: row.fromName },
    columns: JSON.parse(row.columns) as string[],
    references: { schema: row.toSchema, name: row.toName },
    referencedColumns: JSON.parse(row.referencedColumns) as string[],
  }
}
