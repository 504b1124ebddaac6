/** Turns what was seen into findings, few enough to be read, and into one word for how well agents are kept to the gate. */
import { jsonDigest } from '#lib/kernel/index.ts'
import type { RecoveryAlert } from '../alert.ts'
import type { DirectSession, Looked, Posture } from './model.ts'

const MOST_PROCESS_IDS = 10
const KEY_DIGITS = 16

/** Effects: pure */
export function buildFindings({ sessions, loginRoles }: Looked): readonly RecoveryAlert[] {
  const groups = Map.groupBy(sessions, ({ user, applicationName, address }) =>
    jsonDigest([user, applicationName, address]).slice(0, KEY_DIGITS),
  )
  return [...[...groups].map(([key, group]) => bypass(key, group)), ...loginRoles.map(loginRisk)]
}

/** Effects: pure */
export function judgePosture(looked: Looked): Posture {
  const { sessions, loginRoles, agentRoles, isGatewaySuperuser, skipped } = looked
  const users = [...new Set(sessions.map(({ user }) => user))]
  const past = users.map((user) => `somebody is connected past the gate as ${user}`)
  const weak = [
    ...(agentRoles.length === 0
      ? ['no role of agents is known: whoever has a password of the database is unseen']
      : []),
    ...loginRoles.map((role) => `the agent role ${role} may log in past the gate`),
    ...(isGatewaySuperuser
      ? ['the gateway logs in as a superuser; "backstop init-roles" prints a role with less']
      : []),
    ...skipped
      .filter(({ subject }) => subject.startsWith('role '))
      .map(({ subject, reason }) => `${subject}: ${reason}`),
  ]
  const reasons = [...past, ...weak]
  return { status: past.length > 0 ? 'recovery_only' : weak.length > 0 ? 'degraded' : 'healthy', reasons }
}

/** A person at the gateway's role may be the one who runs it; an agent at its own is past the gate for certain. */
function bypass(key: string, group: readonly DirectSession[]): RecoveryAlert {
  const [first] = group
  const user = first?.user ?? ''
  const isAgent = first?.because !== 'gateway-role'
  return {
    severity: isAgent ? 'critical' : 'warning',
    eventType: 'gateway_bypass_detected',
    title: isAgent
      ? `The agent role ${user} is connected to the database directly`
      : `Somebody besides the gateway is connected with its role ${user}`,
    recommendedAction: isAgent
      ? 'Find out who holds the credentials, end the sessions with pg_terminate_backend, ALTER ROLE … NOLOGIN, and change the password.'
      : 'Find out who it is. Give people and agents roles of their own, see "backstop init-roles", and change the password of the gateway\'s role.',
    facts: {
      user,
      because: first?.because ?? null,
      applicationName: first?.applicationName ?? '',
      address: first?.address ?? null,
      since: first?.since ?? null,
      sessions: group.length,
      processIds: group.slice(0, MOST_PROCESS_IDS).map(({ processId }) => processId),
    },
    dedupeKey: `bypass:${key}`,
  }
}

function loginRisk(role: string): RecoveryAlert {
  return {
    severity: 'warning',
    eventType: 'agent_role_can_login',
    title: `The agent role ${role} may log in, past the gateway`,
    recommendedAction: 'ALTER ROLE … NOLOGIN, and grant it to the role that the gateway logs in with.',
    facts: { role },
    dedupeKey: `agent-login:${jsonDigest(role).slice(0, KEY_DIGITS)}`,
  }
}
