/** Turns what was seen into findings, few enough to be read. */
import { jsonDigest } from '#lib/kernel/index.ts'
import type { RecoveryAlert } from '../alert.ts'
import type { DirectSession, Looked } from './model.ts'

const MOST_PROCESS_IDS = 10
const KEY_DIGITS = 16

/** Effects: pure */
export function buildFindings({ sessions, loginRoles }: Looked): readonly RecoveryAlert[] {
  const groups = Map.groupBy(sessions, ({ user, applicationName, address }) =>
    jsonDigest([user, applicationName, address]).slice(0, KEY_DIGITS),
  )
  return [...[...groups].map(([key, group]) => bypass(key, group)), ...loginRoles.map(loginRisk)]
}

function bypass(key: string, group: readonly DirectSession[]): RecoveryAlert {
  const [first] = group
  const user = first?.user ?? ''
  return {
    severity: 'critical',
    eventType: 'gateway_bypass_detected',
    title: `The agent role ${user} is connected to the database directly`,
    recommendedAction:
      'Find out who holds the credentials, end the sessions with pg_terminate_backend, ALTER ROLE … NOLOGIN, and change the password.',
    facts: {
      user,
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
