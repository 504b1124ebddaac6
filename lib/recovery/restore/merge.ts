/** Rows of a snapshot into a table that exists already: by key, under a conflict policy. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { Manifest } from '../manifest/index.ts'
import { buildCreateTable } from './build-table.ts'
import type { LoadPorts } from './load.ts'
import { compareContent, loadRows } from './load.ts'
import type { ConflictPolicy } from './model.ts'

/** The snapshot's rows as they were, for the time of the transaction. */
export const REPLICA: RelationName = { schema: 'pg_temp', name: 'backstop_replica' }

export interface Merged {
  readonly insertedRows: number
  readonly updatedRows: number
}

/** Throws RESTORE_TARGET_EXISTS when the target has no primary key over the snapshot's columns, RESTORE_MISMATCH. */
export async function mergeRows(
  session: DatabaseSession,
  manifest: Manifest,
  target: RelationName,
  policy: Exclude<ConflictPolicy, 'fail'>,
  ports: LoadPorts,
  onRows: (count: number) => void,
): Promise<Merged> {
  const key = await readKey(session, target)
  const names = manifest.content.columns.map((column) => column.name)
  if (key.length === 0 || key.some((column) => !names.includes(column))) {
    throw new BackstopError(
      'RESTORE_TARGET_EXISTS',
      `${displayRelation(target)} exists and has no primary key that the snapshot shares, so that rows cannot be matched`,
    )
  }
  await loadReplica(session, manifest, ports, onRows)
  return await transfer(session, target, names, key, policy)
}

/** The snapshot's rows in a temporary table, compared with what was captured. Throws RESTORE_MISMATCH. */
export async function loadReplica(
  session: DatabaseSession,
  manifest: Manifest,
  ports: LoadPorts,
  onRows: (count: number) => void,
): Promise<void> {
  const definition = { ...manifest.definition, options: [], toastOptions: [], isUnlogged: false, accessMethod: null }
  await session.execute(buildCreateTable(REPLICA, definition).replace(/^CREATE TABLE/, 'CREATE TEMPORARY TABLE'))
  await loadRows(session, manifest, REPLICA, false, ports, onRows)
  await compareContent(session, manifest, REPLICA)
}

async function transfer(
  session: DatabaseSession,
  target: RelationName,
  names: readonly string[],
  key: readonly string[],
  policy: Exclude<ConflictPolicy, 'fail'>,
): Promise<Merged> {
  const list = names.map(quoteIdentifier).join(', ')
  const keys = key.map(quoteIdentifier).join(', ')
  const others = names.filter((name) => !key.includes(name)).map(quoteIdentifier)
  const update = others.map((column) => `${column} = excluded.${column}`).join(', ')
  const action = policy === 'skip' || others.length === 0 ? 'DO NOTHING' : `DO UPDATE SET ${update}`
  const rows = await session.query<{ inserted: string; updated: string }>(
    `WITH merged AS (
       INSERT INTO ${quoteRelation(target)} AS kept (${list}) OVERRIDING SYSTEM VALUE
       SELECT ${list} FROM ${quoteRelation(REPLICA)} ON CONFLICT (${keys}) ${action} RETURNING kept.xmax = 0 AS is_new)
     SELECT count(*) FILTER (WHERE is_new)::text AS inserted, count(*) FILTER (WHERE NOT is_new)::text AS updated FROM merged`,
  )
  await session.execute(`DROP TABLE ${quoteRelation(REPLICA)}`)
  return { insertedRows: Number(rows[0]?.inserted), updatedRows: Number(rows[0]?.updated) }
}

async function readKey(session: DatabaseSession, target: RelationName): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT k.attname AS name FROM pg_constraint c
       JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
       CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY u(number, place)
       JOIN pg_attribute k ON k.attrelid = t.oid AND k.attnum = u.number
      WHERE n.nspname = $1 AND t.relname = $2 AND c.contype = 'p' ORDER BY u.place`,
    [target.schema, target.name],
  )
  return rows.map((row) => row.name)
}
