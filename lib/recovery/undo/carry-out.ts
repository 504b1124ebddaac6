/** Carries out a plan in the open transaction, and proves that it did that and nothing else. */
import { BackstopError, displayRelation } from '#lib/kernel/index.ts'
import type { Database, DatabaseSession, RowPlace, TouchedTable, UndoMark } from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import { describeStatementFailure } from '../failure.ts'
import { TooMuch } from './look.ts'
import type { UndoTable } from './model.ts'
import type { TableSteps } from './plan.ts'
import type { Strategy } from './statements.ts'
import { buildStatements, STRATEGIES } from './statements.ts'
import type { WatchLimits } from './watch-changes.ts'
import { Unreadable, watchChanges } from './watch-changes.ts'

export interface CarryOut {
  readonly database: Database
  readonly session: DatabaseSession
  readonly mark: UndoMark
  readonly limits: WatchLimits
}

const SAVEPOINT = 'backstop_undo_try'
const TOUCHED_SQL = `SELECT json_build_object('schema', schemaname, 'name', relname) AS relation,
  n_tup_ins::float8 AS "insertedRows", n_tup_upd::float8 AS "updatedRows", n_tup_del::float8 AS "deletedRows"
  FROM pg_catalog.pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND schemaname <> 'pg_toast'`

interface Change {
  readonly table: string
  readonly text: string
}

/** What the transaction has to have changed, row by row: neither less nor more. */
function wantedChanges(tables: readonly TableSteps[]): readonly Change[] {
  return tables.flatMap(({ table, steps }) =>
    steps.map(({ from, to }) => ({ table: displayRelation(table.relation), text: JSON.stringify([from, to]) })),
  )
}

function madeChanges(tables: readonly UndoTable[]): readonly Change[] {
  return tables.flatMap((table) =>
    table.rows.map(({ before, after }) => ({
      table: displayRelation(table.relation),
      text: JSON.stringify([before, after]),
    })),
  )
}

/** The tables in which the two differ. Pure. */
export function differingTables(plan: readonly TableSteps[], made: readonly UndoTable[]): readonly string[] {
  const balance = new Map<string, { readonly table: string; count: number }>()
  const add = ({ table, text }: Change, count: number) => {
    const key = `${table} ${text}`
    const entry = balance.get(key) ?? { table, count: 0 }
    entry.count += count
    balance.set(key, entry)
  }
  for (const change of wantedChanges(plan)) add(change, 1)
  for (const change of madeChanges(made)) add(change, -1)
  return [...new Set([...balance.values()].filter(({ count }) => count !== 0).map(({ table }) => table))].sort()
}

function placesOf(plan: readonly TableSteps[]): readonly RowPlace[] {
  return plan.flatMap(({ steps }) => steps.flatMap(({ place }) => (place === undefined ? [] : [place])))
}

async function attempt(how: CarryOut, plan: readonly TableSteps[], strategy: Strategy): Promise<readonly UndoTable[]> {
  const { session, database, mark, limits } = how
  await session.execute('SET CONSTRAINTS ALL DEFERRED')
  for (const { sql, parameters } of buildStatements(plan, strategy)) await session.query(sql, parameters)
  await session.execute('SET CONSTRAINTS ALL IMMEDIATE')
  const touched = await session.query<TouchedTable>(TOUCHED_SQL)
  const made = await watchChanges(database, session, { mark, touched, places: placesOf(plan), limits })
  const differing = differingTables(plan, made)
  if (differing.length === 0) return made
  throw new Unreadable(
    `setting the rows back changes others too or not all of them, by cascades, triggers or rules, in ${differing.join(', ')}`,
  )
}

function reasonOf(error: unknown): string | undefined {
  if (error instanceof StatementError) {
    const named = /constraint "([^"]+)"/.exec(error.failure.message)?.[1]
    return `${describeStatementFailure(error)}${named === undefined ? '' : ` for constraint ${named}`}`
  }
  return error instanceof Unreadable || error instanceof TooMuch ? error.message : undefined
}

/**
 * Try one order after the other; each is rolled back unless what it changed is what was planned.
 *
 * Throws: UNDO_IMPOSSIBLE with the reason of the first order; the transaction is as before
 */
export async function carryOut(how: CarryOut, plan: readonly TableSteps[]): Promise<readonly UndoTable[]> {
  const reasons: string[] = []
  for (const strategy of STRATEGIES) {
    await how.session.execute(`SAVEPOINT ${SAVEPOINT}`)
    try {
      const made = await attempt(how, plan, strategy)
      await how.session.execute(`RELEASE SAVEPOINT ${SAVEPOINT}`)
      return made
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === undefined) throw error
      reasons.push(reason)
      await how.session.execute(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}; RELEASE SAVEPOINT ${SAVEPOINT}`)
    }
  }
  throw new BackstopError('UNDO_IMPOSSIBLE', `the write cannot be undone as it is: ${reasons[0]}`)
}
