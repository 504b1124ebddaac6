/** Reads which tables the database has, and which database it is. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import { SCRATCH_MARK, SCRATCH_NAME_PATTERN } from '../scratch.ts'
import type { SeenTable } from './table-model.ts'

/**
 * Tables of users, partitioned ones too. What drills restore into comes and goes by design. One statement, so that a rename
 * or a swap in the middle is seen before or after, never half.
 */
const TABLES_SQL = `
  SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name, c.relkind = 'r' AS holds_rows
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
     AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
     AND NOT (n.nspname ~ '${SCRATCH_NAME_PATTERN}'
              AND coalesce(starts_with(obj_description(n.oid, 'pg_namespace'), '${SCRATCH_MARK}'), false))
   ORDER BY c.oid`

/** The server's own number and the database's in it: another pair is another database at the same address. */
const IDENTITY_SQL = `
  SELECT (SELECT system_identifier::text FROM pg_control_system()) || '/' || d.oid::text AS identity
    FROM pg_database d WHERE d.datname = current_database()`

interface TableRow {
  readonly oid: string
  readonly schema: string
  readonly name: string
  readonly holds_rows: boolean
}

export interface SeenTables {
  readonly identity: string
  readonly tables: readonly SeenTable[]
}

export async function findTables(session: DatabaseSession): Promise<SeenTables> {
  const [identified] = await session.query<{ identity: string }>(IDENTITY_SQL)
  if (identified === undefined) throw new BackstopError('BUG', 'the server did not say which database it is')
  const rows = await session.query<TableRow>(TABLES_SQL)
  const tables = rows.map(({ oid, schema, name, holds_rows }) => ({
    oid: Number(oid),
    relation: { schema, name },
    holdsRows: holds_rows,
  }))
  return { identity: identified.identity, tables }
}
