/** The two places in which a table is captured: a transaction of our own, and one that the caller has open. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, quoteRelation } from '#lib/kernel/index.ts'
import type { Database, DatabaseSession } from '#lib/ports/index.ts'
import { withStoppableSession } from '../stoppable.ts'
import { LSN_SQL } from './catalog-sql.ts'
import type { FoundRelation } from './model.ts'
import { findRelation } from './read-definition.ts'
import { FIXED_SETTINGS } from './settings.ts'

/** Longest wait for a table that somebody holds exclusively. */
const LOCK_TIMEOUT_MS = 30_000
const SAVEPOINT = 'backstop_capture'

export type CaptureUse<T> = (session: DatabaseSession, found: FoundRelation, lsn: string) => Promise<T>

/**
 * Run `use` in a read-only snapshot on a connection of its own.
 *
 * Invariants: the table is locked against change of its definition before the snapshot is taken; the LSN is older than it
 */
export async function inOwnTransaction<T>(
  database: Database,
  relation: RelationName,
  use: CaptureUse<T>,
  signal?: AbortSignal,
): Promise<T> {
  return await withStoppableSession(database, signal, async (session) => {
    const lsn = await readLsn(session)
    await findRelation(session, relation)
    await session.execute('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY')
    await session.execute(`${FIXED_SETTINGS}; SET LOCAL lock_timeout TO ${LOCK_TIMEOUT_MS}`)
    await session.execute(`LOCK TABLE ${quoteRelation(relation)} IN ACCESS SHARE MODE`)
    // No COMMIT: nothing was written, and what was captured counts whether or not the connection still works.
    return await use(session, await findRelation(session, relation), lsn)
  })
}

/**
 * Run `use` inside the caller's transaction; settings and everything else it does to the session are undone.
 *
 * Invariants: locks that the caller took before stay; when `use` throws, the transaction goes on as if nothing had been
 */
export async function inCallersTransaction<T>(
  session: DatabaseSession,
  relation: RelationName,
  use: CaptureUse<T>,
): Promise<T> {
  await session.execute(`SAVEPOINT ${SAVEPOINT}`)
  try {
    await session.execute(FIXED_SETTINGS)
    return await use(session, await findRelation(session, relation), await readLsn(session))
  } finally {
    await session.execute(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}; RELEASE SAVEPOINT ${SAVEPOINT}`)
  }
}

async function readLsn(session: DatabaseSession): Promise<string> {
  const rows = await session.query<{ lsn: string }>(LSN_SQL)
  const lsn = rows[0]?.lsn
  if (lsn === undefined) throw new BackstopError('BUG', 'the server gave no WAL position')
  return lsn
}
