/** Reads what an open transaction has changed, with a second session at its side. */
import type { Database, DatabaseSession, RowPlace, TouchedTable, UndoMark } from '#lib/ports/index.ts'
import { FIXED_SETTINGS } from '../snapshot/index.ts'
import { type DescribedTable, describeTables } from './describe-table.ts'
import type { LookLimits } from './look.ts'
import { lookAt, type SeenRows, type Sides, TooMuch } from './look.ts'
import { lookNear } from './look-near.ts'
import { sameRelation, type UndoTable } from './model.ts'
import type { SeenTable } from './pair-rows.ts'
import { pairRows } from './pair-rows.ts'

export interface WatchLimits extends LookLimits {
  readonly maxScanBytes: number
  readonly maxMs: number
}

/** Our own reads never wait for somebody's lock: with one in the way the rows cannot be read. */
const LOCK_TIMEOUT_MS = 500

/** What cannot be read exactly, for the answer to say. */
export class Unreadable extends Error {}

/** The writer's session cannot go on. */
export class WriterLost extends Error {}

interface MarkRow {
  readonly xid: string
  readonly mxid: string
  readonly isolation: string
}

/** Give the transaction its id and note where the server stands. */
export async function markTransaction(session: DatabaseSession): Promise<UndoMark> {
  const rows = await session.query<MarkRow>(
    `SELECT pg_catalog.pg_current_xact_id()::text AS xid, pg_catalog.mxid_age('1')::text AS mxid,
            pg_catalog.current_setting('transaction_isolation') AS isolation`,
  )
  const { xid, mxid, isolation } = rows[0] as MarkRow
  return { transactionId: xid, multixactId: (Number(mxid) + 1) >>> 0, isolation }
}

function assertReadable(tables: readonly DescribedTable[]): void {
  const problem = tables.find((table) => table.problem !== null)?.problem
  if (problem !== undefined && problem !== null) throw new Unreadable(problem)
}

function assertSmall(tables: readonly DescribedTable[], limits: WatchLimits): void {
  const bytes = tables.reduce((sum, table) => sum + table.sizeBytes, 0)
  if (bytes <= limits.maxScanBytes) return
  const [size, limit] = [bytes, limits.maxScanBytes].map((one) => `${Math.ceil(one / (1 << 20))} MiB`)
  throw new TooMuch(`tables of ${size} have to be searched for changed rows, and at most ${limit} are`)
}

function fixed(maxMs: number): string {
  return `${FIXED_SETTINGS}; SET LOCAL statement_timeout TO ${maxMs}; SET LOCAL lock_timeout TO ${LOCK_TIMEOUT_MS}`
}

/** First where the rows should be; what is not found there is searched for. */
async function lookBeside(
  writer: DatabaseSession,
  watcher: DatabaseSession,
  tables: readonly DescribedTable[],
  request: WatchRequest,
): Promise<readonly SeenTable[]> {
  const { mark, touched, places = [], limits } = request
  // Each statement looks anew; both are needed, see look.ts.
  await watcher.execute(`BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ ONLY; ${fixed(limits.maxMs)}`)
  const sides: Sides = { writer, watcher, mark, beforeTransactionId: await currentId(watcher) }
  const seen: SeenTable[] = []
  const unseen: DescribedTable[] = []
  let left: LookLimits = limits
  const add = (table: DescribedTable, rows: SeenRows) => {
    seen.push({ table, seen: rows })
    left = { ...left, maxBytes: left.maxBytes - sizeOf(rows.before) - sizeOf(rows.after) }
    if (left.maxBytes <= 0) throw new TooMuch(`the changed rows have more than ${limits.maxBytes} bytes`)
  }
  for (const table of tables) {
    const counts = touched.find(({ relation }) => sameRelation(relation, table.leaf))
    const rows = counts && (await lookNear(sides, table, counts, places, left))
    if (rows === undefined) unseen.push(table)
    else add(table, rows)
  }
  assertSmall(unseen, limits)
  for (const table of unseen) add(table, await lookAt(sides, table, left))
  return seen
}

async function currentId(session: DatabaseSession): Promise<string> {
  const rows = await session.query<{ id: string }>('SELECT pg_current_xact_id()::text AS id')
  return rows[0]?.id ?? '0'
}

function sizeOf(rows: readonly (readonly (string | null)[])[]): number {
  return rows.reduce((sum, row) => sum + row.reduce((size, value) => size + (value?.length ?? 0), 0), 0)
}

export interface WatchRequest {
  readonly mark: UndoMark
  readonly touched: readonly TouchedTable[]
  readonly places?: readonly RowPlace[]
  readonly limits: WatchLimits
}

/**
 * The net changes of the writer's open transaction to the tables that it touched, each row once.
 *
 * Effects: the writer's settings and role are as before when it returns or throws; nothing is written
 * Throws:  TooMuch, Unreadable; StatementError for a table that may not be read, is locked or takes too long
 */
export async function watchChanges(
  database: Database,
  writer: DatabaseSession,
  request: WatchRequest,
): Promise<readonly UndoTable[]> {
  const { mark, touched, limits } = request
  // An older snapshot would hide what others did, and that would be taken for the transaction's own.
  if (mark.isolation !== 'read committed') throw new Unreadable(`the transaction is ${mark.isolation}`)
  await writer.execute('SAVEPOINT backstop_undo')
  try {
    // With the rights of the gateway, as the watcher: not every role that writes a row may read it.
    await writer.execute(`RESET ROLE; ${fixed(limits.maxMs)}`)
    const names = touched.map(({ relation }) => relation)
    const tables = (await describeTables(writer, names)).filter((table) => !table.isTemporary)
    assertReadable(tables)
    if (tables.length === 0) return []
    return pairRows(await database.withSession((watcher) => lookBeside(writer, watcher, tables, request)))
  } finally {
    await leave(writer)
  }
}

async function leave(writer: DatabaseSession): Promise<void> {
  try {
    await writer.execute('ROLLBACK TO SAVEPOINT backstop_undo; RELEASE SAVEPOINT backstop_undo')
  } catch (cause) {
    throw new WriterLost('the session is lost', { cause })
  }
}
