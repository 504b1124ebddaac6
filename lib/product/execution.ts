/** How statements are executed: limits from the settings, and how the agent's role sees the database. */
import type { ExecutionSettings } from '#lib/gate/index.ts'
import { BackstopError, quoteIdentifier } from '#lib/kernel/index.ts'
import { type Database, StatementError } from '#lib/ports/index.ts'
import type { ProductSettings } from './settings.ts'

const MINUTES_15_MS = 900_000

/** The search path that statements are pinned to, with `$user` made plain. Throws CONFIG_INVALID for a role that cannot be taken. */
async function readSearchPath(database: Database, agentRole: string | undefined): Promise<string> {
  try {
    // Closed again at once: where many instances start together, none keeps a connection that it does not need.
    const rows = await database.withDedicatedSession(async (session) => {
      await session.execute('BEGIN')
      if (agentRole !== undefined) await session.execute(`SET LOCAL ROLE ${quoteIdentifier(agentRole)}`)
      return session.query<{ path: string; role: string }>(
        `SELECT coalesce((SELECT substr(s, 13) FROM pg_catalog.pg_roles r, unnest(r.rolconfig) s
                          WHERE r.rolname = current_user AND s LIKE 'search_path=%'), current_setting('search_path')) AS path,
                current_user::text AS role`,
      )
    })
    const { path, role } = rows[0] as { path: string; role: string }
    return path.replaceAll('"$user"', quoteIdentifier(role)).replaceAll('$user', quoteIdentifier(role)) || '""'
  } catch (error) {
    if (!(error instanceof StatementError)) throw error
    throw new BackstopError('CONFIG_INVALID', `BACKSTOP_AGENT_ROLE cannot be used: ${error.failure.message}.`)
  }
}

/** Check that a configured search path is one, by letting the server read it. */
async function assertSearchPath(database: Database, searchPath: string): Promise<void> {
  try {
    await database.withDedicatedSession(async (session) => {
      await session.query("SELECT set_config('search_path', $1, false)", [searchPath])
    })
  } catch (error) {
    if (!(error instanceof StatementError)) throw error
    throw new BackstopError('CONFIG_INVALID', `BACKSTOP_SEARCH_PATH is malformed: ${error.failure.message}.`)
  }
  if (/[;\0]/.test(searchPath)) throw new BackstopError('CONFIG_INVALID', 'BACKSTOP_SEARCH_PATH holds a semicolon.')
}

/** Throws CONFIG_INVALID for a role or a search path that the server does not take, DATABASE_UNREACHABLE. */
export async function executionSettings(settings: ProductSettings, database: Database): Promise<ExecutionSettings> {
  if (settings.searchPath !== undefined) await assertSearchPath(database, settings.searchPath)
  return {
    limits: {
      statementTimeoutMs: settings.statementTimeoutMs,
      lockTimeoutMs: settings.lockTimeoutMs,
      assessTimeoutMs: settings.assessTimeoutMs,
      captureTimeoutMs: settings.captureTimeoutMs ?? MINUTES_15_MS,
      maxRows: settings.maxRows,
      maxBytes: settings.maxBytes,
    },
    ...(settings.agentRole === undefined ? {} : { agentRole: settings.agentRole }),
    searchPath: settings.searchPath ?? (await readSearchPath(database, settings.agentRole)),
  }
}
