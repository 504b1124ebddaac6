/** Looks for sessions of agent roles in pg_stat_activity, and for agent roles that may log in. */
import type { Instant } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { DirectSession, Looked, WatchSettings } from './model.ts'

const NAME_CHARACTERS = 64
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu

interface RoleRow {
  readonly name: string
  readonly can_login: boolean
  readonly is_visible: boolean
}

interface SessionRow {
  readonly pid: number
  readonly user: string
  readonly application: string | null
  readonly address: string | null
  readonly since: string | null
}

/** `$1` the roles. Rows of other roles show address and time only to members of pg_read_all_stats, or of the role. */
const ROLES_SQL = `
  SELECT r.rolname AS name, r.rolcanlogin AND (r.rolvaliduntil IS NULL OR r.rolvaliduntil > now()) AS can_login,
         pg_has_role(r.oid, 'USAGE') OR pg_has_role('pg_read_all_stats', 'USAGE') AS is_visible
    FROM pg_roles r WHERE r.rolname = ANY ($1) ORDER BY 1`

/** Sessions in this database by the role they logged in with, which SET ROLE does not change. */
const SESSIONS_SQL = `
  SELECT a.pid, a.usename::text AS user, a.application_name AS application, host(a.client_addr) AS address,
         to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS since
    FROM pg_stat_activity a
   WHERE a.datname = current_database() AND a.usename = ANY ($1) AND a.pid <> pg_backend_pid()
     AND coalesce(a.backend_type, 'client backend') = 'client backend'
   ORDER BY a.backend_start, a.pid`

/** Reads alone; needs no right beyond connecting, and says what it could not see without more. */
export async function findDirectSessions(session: DatabaseSession, settings: WatchSettings): Promise<Looked> {
  const own = await session.query<{ role: string }>('SELECT session_user::text AS role')
  const gatewayRoles = new Set([...(settings.gatewayRoles ?? []), ...own.map(({ role }) => role)])
  const asked = [...new Set(settings.agentRoles)].toSorted()
  const watched = asked.filter((role) => !gatewayRoles.has(role))
  const roles = await session.query<RoleRow>(ROLES_SQL, [watched])
  const rows = roles.length === 0 ? [] : await session.query<SessionRow>(SESSIONS_SQL, [roles.map(({ name }) => name)])
  return {
    sessions: rows.map(sessionOf),
    loginRoles: roles.filter((role) => role.can_login).map(({ name }) => name),
    checked: roles.map(({ name }) => `role ${name}`),
    skipped: skippedOf(asked, watched, roles),
  }
}

function sessionOf(row: SessionRow): DirectSession {
  const applicationName = (row.application ?? '').replaceAll(UNPRINTABLE, '').slice(0, NAME_CHARACTERS)
  return {
    processId: row.pid,
    user: row.user,
    applicationName,
    address: row.address,
    since: row.since as Instant | null,
  }
}

function skippedOf(asked: readonly string[], watched: readonly string[], roles: readonly RoleRow[]) {
  if (asked.length === 0) {
    const reason =
      'no agent role is set: set BACKSTOP_AGENT_ROLE to a role without login, and let the gateway log in with another'
    return [{ subject: 'direct sessions', reason }]
  }
  const isShared = (role: string) => !watched.includes(role)
  const isKnown = (role: string) => roles.some(({ name }) => name === role)
  return [
    ...asked.filter(isShared).map((role) => ({
      subject: `role ${role}`,
      reason: 'the gateway logs in with it, so that its sessions and those of agents cannot be told apart',
    })),
    ...watched
      .filter((role) => !isKnown(role))
      .map((role) => ({ subject: `role ${role}`, reason: 'there is no such role' })),
    ...roles
      .filter((role) => !role.is_visible)
      .map(({ name }) => ({
        subject: `address and start of sessions of ${name}`,
        reason: 'they show to members of pg_read_all_stats alone',
      })),
  ]
}
