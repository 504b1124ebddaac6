/**
 * Finds the rows that a transaction has changed, while it is still open, by looking at each table from both sides.
 *
 * A second session sees every row as it would be if the transaction were rolled back: the pre-image. A row version is one that
 * the transaction took away exactly when the second session sees it and the transaction does not; one that it made, when the
 * transaction sees it and its maker is still in progress. Nothing depends on keys, predicates, triggers or who made the change.
 */
import { quoteRelation } from '#lib/kernel/index.ts'
import type { DatabaseSession, UndoMark } from '#lib/ports/index.ts'
import type { DescribedTable } from './describe-table.ts'
import { valueTexts } from './describe-table.ts'
import type { RowValues } from './model.ts'

/** More than the limit; the message says of what. */
export class TooMuch extends Error {}

export interface LookLimits {
  readonly maxRows: number
  readonly maxBytes: number
}

/** Both sessions are in a READ COMMITTED transaction with FIXED_SETTINGS. */
export interface Sides {
  readonly writer: DatabaseSession
  readonly watcher: DatabaseSession
  readonly mark: UndoMark
  /** Id of a transaction that began after all changes: those of the writer's sub-transactions are below it. */
  readonly beforeTransactionId: string
}

export interface SeenRows {
  readonly before: readonly RowValues[]
  readonly after: readonly RowValues[]
}

/** Row versions that are looked at one by one because somebody has locked or changed them since the mark. */
const MAX_CANDIDATES = 200_000

export interface Version {
  readonly ctid: string
  readonly xmin: string
}

export function onlyLeaf({ leaf }: DescribedTable, alias = 't'): string {
  return `ONLY ${quoteRelation(leaf)} AS ${alias}`
}

async function readRows(session: DatabaseSession, sql: string, limits: LookLimits, parameters: readonly string[][]) {
  const options = { parameters, maxRows: limits.maxRows, maxBytes: limits.maxBytes }
  const result = await session.runCapped(sql, options)
  if (result.truncated === 'rows') throw new TooMuch(`more than ${limits.maxRows} rows changed`)
  if (result.truncated === 'bytes') throw new TooMuch(`the changed rows have more than ${limits.maxBytes} bytes`)
  return result.rows as readonly RowValues[]
}

/** A condition on rows called `t`, and its parameters. */
export interface Place {
  readonly condition: string
  readonly parameters: readonly string[][]
}

export const ANYWHERE: Place = { condition: 'true', parameters: [] }

/**
 * Versions that the transaction made. `age` counts from the transaction's own id, so that its sub-transactions are not older;
 * what is in progress and yet visible is its own. The bound keeps ids that were frozen long ago from being taken for new ones.
 */
export function madeRows(
  { writer, mark, beforeTransactionId }: Sides,
  table: DescribedTable,
  limits: LookLimits,
  place: Place,
): Promise<readonly RowValues[]> {
  const full = `(${mark.transactionId} + (t.xmin::text::int8 - ${mark.transactionId} % 4294967296 + 4294967296) % 4294967296)`
  const sql = `SELECT ${valueTexts(table.columns).join(', ') || 'NULL::text'} FROM ${onlyLeaf(table)}
    WHERE ${place.condition} AND CASE WHEN age(t.xmin) > 0 THEN false WHEN ${full} >= ${beforeTransactionId} THEN false
      ELSE pg_xact_status(${full}::text::xid8) = 'in progress' END`
  return readRows(writer, sql, limits, place.parameters)
}

/** Versions that somebody locked, changed or took away since the mark, among them all that the transaction took away. */
async function findCandidates({ watcher, mark }: Sides, table: DescribedTable): Promise<readonly Version[]> {
  const xid = BigInt(mark.transactionId) % 4_294_967_296n
  const sql = `SELECT t.ctid::text, t.xmin::text FROM ${onlyLeaf(table)}
    WHERE age(t.xmax) <= (SELECT age('${xid}'::xid)) OR mxid_age(t.xmax) BETWEEN 1 AND (SELECT mxid_age('${mark.multixactId}'::xid))`
  const maxBytes = MAX_CANDIDATES * 64
  const result = await watcher.runCapped(sql, { maxRows: MAX_CANDIDATES, maxBytes })
  if (result.truncated !== undefined) throw new TooMuch(`more than ${MAX_CANDIDATES} rows are locked or changed`)
  return result.rows.map(([ctid, xmin]) => ({ ctid: String(ctid), xmin: String(xmin) }))
}

/** Of the versions that the watcher saw, those that the transaction took away. */
export async function takenRows(
  { writer, watcher }: Sides,
  table: DescribedTable,
  limits: LookLimits,
  candidates: readonly Version[],
): Promise<readonly RowValues[]> {
  if (candidates.length === 0) return []
  const ctids = candidates.map((version) => version.ctid)
  const visible = await writer.query<{ ctid: string }>(
    `SELECT t.ctid::text FROM ${onlyLeaf(table)} WHERE t.ctid = ANY ($1::tid[])`,
    [ctids],
  )
  const still = new Set(visible.map((version) => version.ctid))
  const gone = new Map(candidates.filter(({ ctid }) => !still.has(ctid)).map(({ ctid, xmin }) => [ctid, xmin]))
  if (gone.size === 0) return []
  // Looked at anew: what another transaction took away and committed meanwhile is not seen any more, and not this one's.
  const list = ['t.ctid::text', 't.xmin::text', ...valueTexts(table.columns)].join(', ')
  const sql = `SELECT ${list} FROM ${onlyLeaf(table)} WHERE t.ctid = ANY ($1::tid[])`
  const rows = await readRows(watcher, sql, limits, [[...gone.keys()]])
  return rows.filter(([ctid, xmin]) => gone.get(String(ctid)) === xmin).map((row) => row.slice(2))
}

/** Reads the whole table on each side. Throws TooMuch; StatementError for what may not be read or takes too long. */
export async function lookAt(sides: Sides, table: DescribedTable, limits: LookLimits): Promise<SeenRows> {
  const taken = async () => takenRows(sides, table, limits, await findCandidates(sides, table))
  const [after, before] = await Promise.allSettled([madeRows(sides, table, limits, ANYWHERE), taken()])
  if (after.status === 'rejected') throw after.reason
  if (before.status === 'rejected') throw before.reason
  return { before: before.value, after: after.value }
}
