/** Turn what `pg` throws into this project's errors, once. */
import { DatabaseError } from 'pg'
import { BackstopError } from '#lib/kernel/index.ts'
import { StatementError } from '#lib/ports/index.ts'

/** SQLSTATE classes in which the connection and not the statement is the problem. */
const CONNECTION_CLASSES = ['08', '28', '3D', '57P']

function isConnectionProblem(sqlState: string): boolean {
  // 57014 is a cancelled statement; 57P0x are shutdowns and dropped databases.
  return CONNECTION_CLASSES.some((prefix) => sqlState.startsWith(prefix)) || sqlState === '53300'
}

/**
 * Map an error of the driver.
 *
 * Returns: StatementError when the server rejected the statement, else BackstopError DATABASE_UNREACHABLE, whose message
 *          names the database by its label and never holds the connection string
 */
export function mapDatabaseError(error: unknown, label: string): Error {
  if (error instanceof StatementError || error instanceof BackstopError) return error
  if (error instanceof DatabaseError && error.code !== undefined && !isConnectionProblem(error.code)) {
    return new StatementError({
      sqlState: error.code,
      message: error.message,
      ...(error.detail === undefined ? {} : { detail: error.detail }),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.position === undefined ? {} : { position: Number(error.position) }),
    })
  }
  const code = (error as { code?: unknown } | null)?.code
  const reason = typeof code === 'string' ? code : error instanceof Error ? error.message : 'connection lost'
  return new BackstopError('DATABASE_UNREACHABLE', `Cannot reach the database ${label} (${reason}).`)
}
