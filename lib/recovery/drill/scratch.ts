/** The schema that a drill restores into: made with a mark, dropped by name and mark, and nothing beside it ever touched. */
import type { Instant, RelationName } from '#lib/kernel/index.ts'
import { BackstopError, quoteIdentifier, quoteLiteral, quoteRelation } from '#lib/kernel/index.ts'
import type { Database, DatabaseSession } from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import { describeFailure } from '../failure.ts'
import { SCRATCH_MARK, SCRATCH_NAME_PATTERN, SCRATCH_PREFIX } from '../scratch.ts'
import type { Finding } from './model.ts'

const LOCK_TIMEOUT_MS = 10_000
const DENIED = '42501'

export interface Scratch {
  readonly schema: string
  readonly target: RelationName
}

/** `$1` the pattern of names, `$2` the mark. */
const LEFTOVERS_SQL = `
  SELECT n.nspname AS schema, substr(obj_description(n.oid, 'pg_namespace'), length($2) + 1) AS note
    FROM pg_namespace n
   WHERE n.nspname ~ $1 AND starts_with(obj_description(n.oid, 'pg_namespace'), $2)
   ORDER BY 1`

/**
 * Run `use` while no other drill runs in this database; undefined when one does.
 *
 * The lock lives in a transaction that is open meanwhile and reads nothing, so that it holds back neither vacuum nor anybody; it
 * ends with the connection, whatever ends that.
 */
export async function withDrillLock<T>(database: Database, use: () => Promise<T>): Promise<T | undefined> {
  return await database.withDedicatedSession(async (session) => {
    await session.execute('BEGIN; SET LOCAL idle_in_transaction_session_timeout TO 0')
    const rows = await session.query<{ taken: boolean }>(
      `SELECT pg_try_advisory_xact_lock(hashtextextended('backstop_drill', 0)) AS taken`,
    )
    return rows[0]?.taken === true ? await use() : undefined
  })
}

/** Throws DRILL_REFUSED when the role may not make a schema. */
export async function createScratch(
  database: Database,
  drillId: string,
  source: RelationName,
  startedAt: Instant,
): Promise<Scratch> {
  const schema = `${SCRATCH_PREFIX}${drillId.slice(drillId.indexOf('_') + 1)}`
  const note = `${SCRATCH_MARK}${JSON.stringify({ drillId, table: source.name, startedAt })}`
  try {
    // Both or neither: a schema without its mark would be nobody's.
    await database.withSession((session) =>
      session.execute(
        `BEGIN; CREATE SCHEMA ${quoteIdentifier(schema)}; COMMENT ON SCHEMA ${quoteIdentifier(schema)} IS ${quoteLiteral(note)}; COMMIT`,
      ),
    )
  } catch (error) {
    if (!(error instanceof StatementError) || error.failure.sqlState !== DENIED) throw error
    throw new BackstopError('DRILL_REFUSED', `the role may not make a schema: ${error.failure.message}`)
  }
  return { schema, target: { schema, name: source.name } }
}

/** Under the drill lock every marked schema is what a killed drill left. Returns what was dropped, and what would not go. */
export async function clearLeftovers(database: Database): Promise<{ dropped: string[]; kept: Finding[] }> {
  const found = await database.withSession((session) =>
    session.query<{ schema: string; note: string }>(LEFTOVERS_SQL, [SCRATCH_NAME_PATTERN, SCRATCH_MARK]),
  )
  const dropped: string[] = []
  const kept: Finding[] = []
  for (const { schema, note } of found) {
    const table = tableOf(note)
    const problem = table === undefined ? 'its mark cannot be read' : await dropScratch(database, schema, table)
    if (problem === undefined) dropped.push(schema)
    else kept.push({ subject: `schema ${schema}`, reason: problem })
  }
  return { dropped, kept }
}

/**
 * Drop the one table that the drill made, then the schema, which has to be empty then: whatever else somebody put there, or made
 * to depend on it, stays and keeps the schema. Returns the reason when it would not go.
 */
export async function dropScratch(database: Database, schema: string, table: string): Promise<string | undefined> {
  try {
    await database.withDedicatedSession((session) => dropEmpty(session, schema, table))
    return undefined
  } catch (error) {
    return describeFailure(error).reason
  }
}

async function dropEmpty(session: DatabaseSession, schema: string, table: string): Promise<void> {
  await session.execute(`BEGIN; SET LOCAL lock_timeout TO ${LOCK_TIMEOUT_MS}; SET LOCAL statement_timeout TO 0`)
  await session.execute(`DROP TABLE IF EXISTS ${quoteRelation({ schema, name: table })} RESTRICT`)
  await session.execute(`DROP SCHEMA IF EXISTS ${quoteIdentifier(schema)} RESTRICT; COMMIT`)
}

function tableOf(note: string): string | undefined {
  try {
    const table = (JSON.parse(note) as { table?: unknown }).table
    return typeof table === 'string' && table !== '' ? table : undefined
  } catch {
    return undefined
  }
}
