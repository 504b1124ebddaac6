/** Run a statement in the way that its classification asks for. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { CappedResult, DatabaseSession } from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import type { ExecutionSettings, Keeper, Prelude, Ran, Statement, WriteOutcome } from './model.ts'
import { countChanges, exceedsGuard, exceedsShare, findRowHolders, readBaseline } from './row-guard.ts'
import { becomeAgent, beginWrite, enterSession, PLAN_FOR_VALUES } from './settings.ts'

const READ_ONLY_VIOLATION = '25006'

function runStatement(
  session: DatabaseSession,
  statement: Statement,
  settings: ExecutionSettings,
): Promise<CappedResult> {
  const { maxRows, maxBytes } = settings.limits
  return session.runCapped(statement.sql, { parameters: statement.parameters, maxRows, maxBytes })
}

/**
 * Run within the session's open READ ONLY transaction, and end it.
 *
 * Throws: READ_WROTE when the database stopped a write that the text did not show; StatementError
 */
export async function runRead(
  session: DatabaseSession,
  statement: Statement,
  settings: ExecutionSettings,
): Promise<Ran> {
  try {
    if (statement.parameters.length > 0) await session.execute(PLAN_FOR_VALUES)
    // Sent together: a statement that fails makes the COMMIT a ROLLBACK.
    const [result] = await Promise.all([runStatement(session, statement, settings), session.execute('COMMIT')])
    return { outcome: 'done', result, changed: [] }
  } catch (error) {
    if (error instanceof StatementError && error.failure.sqlState === READ_ONLY_VIOLATION) {
      throw new BackstopError(
        'READ_WROTE',
        'The statement reads by its form, and the database stopped it from writing.',
      )
    }
    throw error
  }
}

/**
 * Run in a transaction of its own: prelude, statement, count, keep, then COMMIT or ROLLBACK.
 *
 * Invariants: COMMIT only when the guard agrees with what was counted after all deferred triggers and constraints
 * Throws:     whatever the prelude throws, StatementError (rolled back), EXECUTION_UNKNOWN when the connection broke in COMMIT
 */
export async function runWrite(
  session: DatabaseSession,
  statement: Statement,
  settings: ExecutionSettings,
  prelude: Prelude,
  keeper?: Keeper,
): Promise<WriteOutcome> {
  await session.execute(beginWrite(settings))
  const guard = await prelude(session)
  const holders = await findRowHolders(session, guard)
  await session.execute(becomeAgent(settings))
  const baseline = await readBaseline(session)
  await keeper?.begin(session)
  const result = await runStatement(session, statement, settings)
  const changes = await countChanges(session, baseline)
  const stopped = exceedsGuard(guard, changes, holders) ?? (await exceedsShare(session, guard, changes, holders))
  if (stopped !== undefined) {
    await session.execute('ROLLBACK')
    return stopped
  }
  const reason = await keeper?.end(session, changes)
  if (reason !== undefined) {
    await session.execute('ROLLBACK')
    return { outcome: 'unkept', reason }
  }
  await commit(session)
  return { outcome: 'done', result, changed: changes.tables }
}

async function commit(session: DatabaseSession): Promise<void> {
  try {
    await session.execute('COMMIT')
  } catch (error) {
    if (error instanceof StatementError) throw error
    throw new BackstopError('EXECUTION_UNKNOWN', 'The connection broke during COMMIT.', { cause: error })
  }
}

/** Run what PostgreSQL refuses inside a transaction block, on a session of its own that is closed afterwards. */
export async function runOutside(
  session: DatabaseSession,
  statement: Statement,
  settings: ExecutionSettings,
): Promise<Ran> {
  await session.execute(enterSession(settings))
  try {
    return { outcome: 'done', result: await runStatement(session, statement, settings), changed: [] }
  } catch (error) {
    if (error instanceof StatementError) throw error
    throw new BackstopError(
      'EXECUTION_UNKNOWN',
      'The connection broke while the statement ran outside a transaction.',
      { cause: error },
    )
  }
}
