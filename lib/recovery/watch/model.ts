/** Who is at the database past the gate. */
import type { Instant } from '#lib/kernel/index.ts'
import type { RecoveryAlert } from '../alert.ts'

export interface WatchSettings {
  /** Roles of agents that somebody has named. Those that carry the mark of `init-roles`, and members of all of them, are found. */
  readonly agentRoles: readonly string[]
  /** Roles that gateways log in with; the role of the session that looks always counts among them. */
  readonly gatewayRoles?: readonly string[]
  /**
   * The backends of all processes that are to log in with the gateway's role. Absent: they cannot be known, and sessions of
   * that role are not judged.
   */
  ownProcessIds?(): readonly number[]
  /** What programs that the gateway runs call their sessions: random, and known to nobody before. */
  ownSessionNames?(): readonly string[]
  /** The same finding is news again after this long; one hour when absent. */
  readonly repeatAfterMs?: number
}

/** `agent-role`: logged in with a role of agents. `gateway-role`: with the gateway's own, from a process that is none. */
export type DirectBecause = 'agent-role' | 'gateway-role'

/** A session that does not come through a gateway. Never what it runs. */
export interface DirectSession {
  readonly processId: number
  readonly user: string
  readonly because: DirectBecause
  /** The client's own word, shortened. */
  readonly applicationName: string
  /** Null for a local socket, and where the server would not say. */
  readonly address: string | null
  /** Null where the server would not say. */
  readonly since: Instant | null
}

export interface Skipped {
  readonly subject: string
  readonly reason: string
}

export interface Looked {
  readonly sessions: readonly DirectSession[]
  /** Agent roles that may log in at all, whoever has their password. */
  readonly loginRoles: readonly string[]
  readonly isGatewaySuperuser: boolean
  /** Every role of agents that exists. */
  readonly agentRoles: readonly string[]
  /** What was looked at. */
  readonly checked: readonly string[]
  readonly skipped: readonly Skipped[]
}

/** `recovery_only`: somebody is past the gate now. `degraded`: somebody could be, unseen or with a password that works. */
export interface Posture {
  readonly status: 'healthy' | 'degraded' | 'recovery_only'
  readonly reasons: readonly string[]
}

export interface WatchReport extends Looked {
  readonly posture: Posture
  /** One per role, application and address, and one per role that may log in. */
  readonly findings: readonly RecoveryAlert[]
  /** Of the findings, those to raise now: the others were told within `repeatAfterMs`. */
  readonly news: readonly RecoveryAlert[]
  /** Of the sessions, those that no look has seen before. */
  readonly newSessions: readonly DirectSession[]
  /** Of the skipped, those not said within `repeatAfterMs`. */
  readonly newlySkipped: readonly Skipped[]
}
