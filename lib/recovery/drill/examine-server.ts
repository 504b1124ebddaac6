/** Reads every table of a server that came up, and asks it the question that was given. */
import { quoteRelation } from '#lib/kernel/index.ts'
import type { Database } from '#lib/ports/index.ts'
import { describeFailure } from '../failure.ts'
import type { Finding } from './model.ts'
import { mismatch } from './wal-drill.ts'

export interface ExamineOrder {
  /** One query whose first value has to be true. */
  readonly checkSql?: string | undefined
  /** Where it is asked; `postgres` when absent. */
  readonly checkDatabase?: string | undefined
  readonly signal?: AbortSignal
}

export interface Examined {
  readonly databases: number
  readonly tables: number
  readonly rows: number
  readonly skipped: readonly Finding[]
}

const DATABASES_SQL = `SELECT datname::text AS name, datallowconn AND NOT datistemplate AS "isOpen" FROM pg_database ORDER BY 1`
const TABLES_SQL = `
  SELECT n.nspname::text AS schema, c.relname::text AS name, c.relpersistence = 'u' AS "isUnlogged"
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.relispopulated
     AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   ORDER BY 1, 2`

/** Throws DRILL_MISMATCH for a table that cannot be read, or an answer that is not true. */
export async function examineServer(open: (database: string) => Database, order: ExamineOrder): Promise<Examined> {
  const skipped: Finding[] = []
  const names = await within(open('postgres'), async (database) =>
    database.withSession((session) => session.query<{ name: string; isOpen: boolean }>(DATABASES_SQL)),
  )
  let [databases, tables, rows] = [0, 0, 0]
  for (const { name, isOpen } of names) {
    if (!isOpen) {
      skipped.push({ subject: `database ${name}`, reason: 'it takes no connections, or is a template' })
      continue
    }
    databases += 1
    const counted = await within(open(name), (database) => countTables(database, name, order, skipped))
    tables += counted.tables
    rows += counted.rows
  }
  await ask(open, order)
  return { databases, tables, rows, skipped }
}

async function within<T>(database: Database, use: (database: Database) => Promise<T>): Promise<T> {
  try {
    return await use(database)
  } finally {
    await database.close()
  }
}

async function countTables(database: Database, name: string, { signal }: ExamineOrder, skipped: Finding[]) {
  return await database.withSession(async (session) => {
    // Read, not looked up in an index: a damaged page has to show.
    await session.execute(
      'SET enable_indexonlyscan TO off; SET enable_indexscan TO off; SET row_security TO off; SET statement_timeout TO 0',
    )
    const found = await session.query<{ schema: string; name: string; isUnlogged: boolean }>(TABLES_SQL)
    let rows = 0
    let tables = 0
    for (const table of found) {
      signal?.throwIfAborted()
      const subject = `${name}: ${quoteRelation(table)}`
      if (table.isUnlogged) {
        skipped.push({ subject, reason: 'an unlogged table is empty after every recovery' })
        continue
      }
      tables += 1
      try {
        const [row] = await session.query<{ rows: string }>(
          `SELECT count(*)::text AS rows FROM ONLY ${quoteRelation(table)}`,
        )
        rows += Number(row?.rows ?? 0)
      } catch (error) {
        mismatch(`${subject} cannot be read: ${describeFailure(error).reason}`)
      }
    }
    return { tables, rows }
  })
}

async function ask(open: (database: string) => Database, { checkSql, checkDatabase = 'postgres' }: ExamineOrder) {
  if (checkSql === undefined) return
  const answer = await within(open(checkDatabase), (database) =>
    database.withSession(async (session) => {
      await session.execute('BEGIN READ ONLY')
      return await session.runCapped(checkSql, { maxRows: 1, maxBytes: 65_536 })
    }),
  )
  const value = answer.rows[0]?.[0]
  if (value !== true) mismatch('the query that was given does not answer true')
}
