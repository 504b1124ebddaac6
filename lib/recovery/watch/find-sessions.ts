/** Looks in pg_stat_activity for sessions that do not come through a gateway, and for agent roles that may log in. */
import type { Instant } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import { type AgentRole, findAgentRoles } from './find-roles.ts'
import type { DirectBecause, DirectSession, Looked, Skipped, WatchSettings } from './model.ts'

const NAME_CHARACTERS = 64
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu
/** The server shows a new connection of ours a moment before it has told us its number. */
const OWN_ANSWER_MS = 250

interface SessionRow {
  readonly pid: number
  readonly user: string
  readonly because: DirectBecause
  readonly application: string | null
  readonly address: string | null
  readonly since: string | null
}

interface OwnRow {
  readonly role: string
  readonly is_superuser: boolean
}

const OWN_SQL = `
  SELECT session_user::text AS role, (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) AS is_superuser`

/** `$1` agents' roles. Sessions in this database by the role they logged in with, which SET ROLE does not change. */
const SESSIONS_SQL = `
  SELECT a.pid, a.usename::text AS user, a.application_name AS application, host(a.client_addr) AS address,
         CASE WHEN a.usename = ANY ($1) THEN 'agent-role' ELSE 'gateway-role' END AS because,
         to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS since
    FROM pg_stat_activity a
   WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
     AND (a.usename = ANY ($1) OR ($2 AND a.usename = session_user))
     AND coalesce(a.backend_type, 'client backend') = 'client backend'
   ORDER BY a.backend_start, a.pid`

/** Reads alone; needs no right beyond connecting, and says what it could not see without more. */
export async function findDirectSessions(session: DatabaseSession, settings: WatchSettings): Promise<Looked> {
  const [own] = await session.query<OwnRow>(OWN_SQL)
  const ownRole = own?.role ?? ''
  const gatewayRoles = [...new Set([...(settings.gatewayRoles ?? []), ownRole])]
  const named = [...new Set(settings.agentRoles)].toSorted()
  const roles = await findAgentRoles(session, named, gatewayRoles)
  const knowsOwn = settings.ownProcessIds !== undefined
  const before = settings.ownProcessIds?.() ?? []
  const agents = roles.map(({ name }) => name)
  const rows = await session.query<SessionRow>(SESSIONS_SQL, [agents, knowsOwn])
  const sessions = await withoutOwn(rows.map(sessionOf), before, settings)
  return {
    sessions,
    loginRoles: roles.filter((role) => role.can_login).map(({ name }) => name),
    isGatewaySuperuser: own?.is_superuser ?? false,
    agentRoles: agents,
    checked: [
      ...agents.map((name) => `role ${name}`),
      ...(knowsOwn ? [`sessions of the gateway's own role ${ownRole}`] : []),
    ],
    skipped: skippedOf(named, gatewayRoles, roles, knowsOwn),
  }
}

/** Ours are known by their numbers, and those of our programs by a name that was not known before: no word of a client's. */
async function withoutOwn(
  sessions: readonly DirectSession[],
  before: readonly number[],
  { ownProcessIds, ownSessionNames }: WatchSettings,
): Promise<readonly DirectSession[]> {
  const names = ownSessionNames?.() ?? []
  const isForeign = (own: readonly number[]) => (one: DirectSession) =>
    one.because === 'agent-role' || !(own.includes(one.processId) || names.includes(one.applicationName))
  const strangers = sessions.filter(isForeign([...before, ...(ownProcessIds?.() ?? [])]))
  if (strangers.every(({ because }) => because === 'agent-role')) return strangers
  await new Promise((resolve) => setTimeout(resolve, OWN_ANSWER_MS))
  // Where the process stood still until now, what the server told it meanwhile is yet to be read.
  await new Promise((resolve) => setImmediate(resolve))
  return strangers.filter(isForeign(ownProcessIds?.() ?? []))
}

function sessionOf(row: SessionRow): DirectSession {
  const applicationName = (row.application ?? '').replaceAll(UNPRINTABLE, '').slice(0, NAME_CHARACTERS)
  return {
    processId: row.pid,
    user: row.user,
    because: row.because,
    applicationName,
    address: row.address,
    since: row.since as Instant | null,
  }
}

function skippedOf(
  named: readonly string[],
  gatewayRoles: readonly string[],
  roles: readonly AgentRole[],
  knowsOwn: boolean,
): readonly Skipped[] {
  const isKnown = (role: string) => roles.some(({ name }) => name === role)
  const unknownAgents = {
    subject: 'sessions of agents with roles of their own',
    reason:
      'no role of agents is known: make one with "backstop init-roles", set BACKSTOP_AGENT_ROLE, or name "database_roles" in the token file',
  }
  const unknownOwn = {
    subject: "sessions of the gateway's own role",
    reason: 'several processes log in with it, so that its sessions and those of others cannot be told apart',
  }
  return [
    ...(roles.length === 0 ? [unknownAgents] : []),
    ...(knowsOwn ? [] : [unknownOwn]),
    ...named
      .filter((role) => gatewayRoles.includes(role))
      .map((role) => ({
        subject: `role ${role}`,
        reason: 'the gateway logs in with it, so that its sessions and those of agents cannot be told apart',
      })),
    ...named
      .filter((role) => !gatewayRoles.includes(role) && !isKnown(role))
      .map((role) => ({ subject: `role ${role}`, reason: 'there is no such role' })),
    ...roles
      .filter((role) => !role.is_visible)
      .map(({ name }) => ({
        subject: `address and start of sessions of ${name}`,
        reason: 'they show to members of pg_read_all_stats alone',
      })),
  ]
}
