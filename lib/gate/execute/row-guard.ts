/** Compare what a transaction really changed with what was allowed, before COMMIT. */
import { BackstopError, quoteRelation, type RelationName } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { ChangedTable, Changes, GuardStopped, RowGuard, RowHolders, UnmeasuredShare } from './model.ts'

/**
 * Cascades, triggers and CTEs are counted. What earlier transactions of the same connection changed is counted too until the
 * server has collected it, up to a second later. Source: monitoring statistics, pg_stat_xact_*.
 */
const CHANGED_QUERY = `
SELECT current_setting('track_counts') AS "trackCounts", relid::int8::float8 AS oid, schemaname AS schema, relname AS name,
       n_tup_ins::float8 AS inserted, n_tup_upd::float8 AS updated, n_tup_del::float8 AS deleted
FROM (SELECT) one LEFT JOIN pg_catalog.pg_stat_xact_all_tables ON n_tup_ins + n_tup_upd + n_tup_del > 0
  AND schemaname !~ '^pg_toast'`

/** Large objects lie in the catalog, and are rows of users. */
const HOLDS_USER_ROWS = new Set(['pg_largeobject', 'pg_largeobject_metadata'])

interface ChangedRow {
  readonly trackCounts: string
  readonly oid: number
  readonly schema: string | null
  readonly name: string
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
}

/** The counters before a statement, by OID. */
export type ChangeBaseline = ReadonlyMap<number, ChangedRow>

/** Read the counters within the transaction that the statement will run in. */
export async function readBaseline(session: DatabaseSession): Promise<ChangeBaseline> {
  const rows = await session.query<ChangedRow>(CHANGED_QUERY)
  return new Map(rows.map((row) => [row.oid, row]))
}

/** Fire what is deferred, then count from the baseline on. Throws ROW_GUARD_EXCEEDED when the server does not count. */
export async function countChanges(session: DatabaseSession, baseline: ChangeBaseline): Promise<Changes> {
  await session.execute('SET CONSTRAINTS ALL IMMEDIATE')
  const rows = await session.query<ChangedRow>(CHANGED_QUERY)
  if (rows[0]?.trackCounts !== 'on') {
    throw new BackstopError(
      'ROW_GUARD_EXCEEDED',
      'The server has track_counts off: changes cannot be counted, so none are made. Turn it on.',
    )
  }
  const all = rows.flatMap((row) => {
    if (row.schema === null) return []
    const table = changedSince(baseline.get(row.oid), row, row.schema)
    return changedRowCount([table]) === 0 ? [] : [table]
  })
  const isCatalog = ({ relation }: ChangedTable) =>
    relation.schema === 'pg_catalog' && !HOLDS_USER_ROWS.has(relation.name)
  return {
    tables: all.filter((table) => !isCatalog(table)),
    catalogs: all.filter(isCatalog).map((table) => table.relation.name),
  }
}

function changedSince(before: ChangedRow | undefined, now: ChangedRow, schema: string): ChangedTable {
  return {
    relation: { schema, name: now.name },
    insertedRows: now.inserted - (before?.inserted ?? 0),
    updatedRows: now.updated - (before?.updated ?? 0),
    deletedRows: now.deleted - (before?.deleted ?? 0),
  }
}

export function changedRowCount(changed: readonly ChangedTable[]): number {
  return changed.reduce((sum, table) => sum + table.insertedRows + table.updatedRows + table.deletedRows, 0)
}

const HOLDERS_QUERY = `
WITH RECURSIVE holders AS (
  SELECT name, to_regclass(name)::oid AS oid FROM unnest($1::text[]) name
  UNION
  SELECT h.name, next.oid FROM holders h CROSS JOIN LATERAL (
    SELECT i.inhrelid AS oid FROM pg_catalog.pg_inherits i WHERE i.inhparent = h.oid
    UNION ALL
    SELECT d.refobjid FROM pg_catalog.pg_class v JOIN pg_catalog.pg_rewrite w ON w.ev_class = v.oid JOIN pg_catalog.pg_depend d
      ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
      WHERE v.oid = h.oid AND v.relkind = 'v' AND d.refobjid <> v.oid
  ) next
)
SELECT h.name AS written, n.nspname AS schema, c.relname AS name
FROM holders h JOIN pg_catalog.pg_class c ON c.oid = h.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`

/** Look up where the rows lie whose share the guard bounds: rows of a partitioned table or a view change in other tables. */
export async function findRowHolders(session: DatabaseSession, guard: RowGuard): Promise<RowHolders> {
  const bounded = [...(guard.share === undefined ? [] : [guard.share]), ...guard.unmeasured]
  const holders = new Map<string, Set<string>>()
  if (bounded.length === 0) return holders
  const names = [...new Set(bounded.map((share) => quoteRelation(share.relation)))]
  const rows = await session.query<RelationName & { written: string }>(HOLDERS_QUERY, [names])
  for (const row of rows) {
    holders.set(row.written, (holders.get(row.written) ?? new Set()).add(quoteRelation(row)))
  }
  return holders
}

/** The changes of all tables that hold the relation's rows, as one. */
function changedIn(changed: readonly ChangedTable[], relation: RelationName, holders: RowHolders): ChangedTable {
  const name = quoteRelation(relation)
  const held = changed.filter((one) => {
    const table = quoteRelation(one.relation)
    return table === name || holders.get(name)?.has(table) === true
  })
  const sum = (rowsOf: (one: ChangedTable) => number) => held.reduce((total, one) => total + rowsOf(one), 0)
  return {
    relation,
    insertedRows: sum((one) => one.insertedRows),
    updatedRows: sum((one) => one.updatedRows),
    deletedRows: sum((one) => one.deletedRows),
  }
}

function sharePercent(
  changed: readonly ChangedTable[],
  share: NonNullable<RowGuard['share']>,
  holders: RowHolders,
): number {
  const table = changedIn(changed, share.relation, holders)
  const rows = table.updatedRows + table.deletedRows
  return share.tableRowCount === 0 ? 0 : (rows * 100) / share.tableRowCount
}

/** Undefined when the changes are within the guard. Pure. */
export function exceedsGuard(
  guard: RowGuard,
  { tables: changed, catalogs }: Changes,
  holders: RowHolders,
): GuardStopped | undefined {
  const secured = new Set(guard.securedTables.map(quoteRelation))
  const counted = changed.filter((table) => !secured.has(quoteRelation(table.relation)))
  const changedRows = changedRowCount(counted)
  const allowedRows = guard.maxRows ?? Number.POSITIVE_INFINITY
  const stopped = { outcome: 'guard-stopped', changed, changedRows, allowedRows, catalogs } as const
  if (changedRows > allowedRows) return stopped
  if (catalogs.length > 0 && !guard.mayChangeCatalog) return stopped
  if (guard.share === undefined) return undefined
  const percent = sharePercent(changed, guard.share, holders)
  if (percent <= guard.share.maxPercent) return undefined
  return { ...stopped, percent: Math.round(percent * 100) / 100 }
}

async function percentAfter(session: DatabaseSession, share: UnmeasuredShare, table: ChangedTable): Promise<number> {
  const rows = table.updatedRows + table.deletedRows
  const limit = Math.ceil((rows * 100) / Math.max(share.maxPercent, 1)) + table.insertedRows + 1
  const counted = await session.query<{ n: number }>(
    `SELECT count(*)::float8 AS n FROM (SELECT FROM ${quoteRelation(share.relation)} LIMIT ${limit}) bounded`,
  )
  const before = (counted[0]?.n ?? 0) - table.insertedRows + table.deletedRows
  return before <= 0 ? 100 : (rows * 100) / before
}

/** Like `exceedsGuard`, for shares that could not be measured before: counts the table, as far as it matters. */
export async function exceedsShare(
  session: DatabaseSession,
  guard: RowGuard,
  { tables: changed, catalogs }: Changes,
  holders: RowHolders,
): Promise<GuardStopped | undefined> {
  for (const share of guard.unmeasured) {
    const table = changedIn(changed, share.relation, holders)
    const rows = table.updatedRows + table.deletedRows
    if (rows === 0 || rows <= share.freeRows) continue
    const percent = await percentAfter(session, share, table)
    if (percent <= share.maxPercent) continue
    return {
      outcome: 'guard-stopped',
      changed,
      changedRows: changedRowCount(changed),
      allowedRows: guard.maxRows ?? Number.POSITIVE_INFINITY,
      catalogs,
      percent: Math.round(percent * 100) / 100,
    }
  }
  return undefined
}
