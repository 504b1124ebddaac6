/** Open the database that is guarded, and learn how the agent's role sees it. */
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { type ExecutionSettings, sessionSettings } from '#lib/gate/index.ts'
import { BackstopError, quoteIdentifier } from '#lib/kernel/index.ts'
import { type Database, StatementError } from '#lib/ports/index.ts'
import type { RuntimeConfig } from './config.ts'

const MINUTES_15_MS = 900_000

/** Connect once, so that a wrong address or password shows at the start. Throws DATABASE_UNREACHABLE. */
export async function connectDatabase(url: string, maxConnections: number): Promise<Database> {
  const database = openPostgres({ url, maxConnections })
  try {
    await database.withSession((session) => session.query('SELECT 1'))
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

/** The search path that statements are pinned to, with `$user` made plain. Throws CONFIG_INVALID for a role that cannot be taken. */
async function readSearchPath(database: Database, agentRole: string | undefined): Promise<string> {
  try {
    const rows = await database.withSession(async (session) => {
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
    await database.withSession(async (session) => {
      await session.query("SELECT set_config('search_path', $1, false)", [searchPath])
    })
  } catch (error) {
    if (!(error instanceof StatementError)) throw error
    throw new BackstopError('CONFIG_INVALID', `BACKSTOP_SEARCH_PATH is malformed: ${error.failure.message}.`)
  }
  if (/[;\0]/.test(searchPath)) throw new BackstopError('CONFIG_INVALID', 'BACKSTOP_SEARCH_PATH holds a semicolon.')
}

export interface GateDatabases {
  readonly reads: Database
  readonly writes: Database
}

/** Connections of the gate's own, so that captures never take them away; each is lent with the pinned settings. */
export function openGateDatabases(url: string, config: RuntimeConfig, settings: ExecutionSettings): GateDatabases {
  const { maxConnections } = config
  // The embedded server gets another port at every start; approvals must outlive it.
  const label = config.dbUrl === undefined ? { label: 'embedded/postgres' } : {}
  const shared = { url, maxConnections, ...label, sessionSettings: sessionSettings(settings) }
  return { reads: openPostgres({ ...shared, isPipelined: true }), writes: openPostgres(shared) }
}

export async function executionSettings(config: RuntimeConfig, database: Database): Promise<ExecutionSettings> {
  if (config.searchPath !== undefined) await assertSearchPath(database, config.searchPath)
  return {
    limits: {
      statementTimeoutMs: config.statementTimeoutMs,
      lockTimeoutMs: config.lockTimeoutMs,
      assessTimeoutMs: config.assessTimeoutMs,
      captureTimeoutMs: MINUTES_15_MS,
      maxRows: config.maxRows,
      maxBytes: config.maxBytes,
    },
    ...(config.agentRole === undefined ? {} : { agentRole: config.agentRole }),
    searchPath: config.searchPath ?? (await readSearchPath(database, config.agentRole)),
  }
}
