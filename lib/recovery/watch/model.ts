/** Who is at the database past the gate. */
import type { Instant } from '#lib/kernel/index.ts'
import type { RecoveryAlert } from '../alert.ts'

export interface WatchSettings {
  /** Roles that agents' statements run as. */
  readonly agentRoles: readonly string[]
  /** Roles that gateways log in with; the role of the session that looks always counts among them. */
  readonly gatewayRoles?: readonly string[]
  /** The same finding is news again after this long; one hour when absent. */
  readonly repeatAfterMs?: number
}

/** A session whose login role is an agent's. Never what it runs. */
export interface DirectSession {
  readonly processId: number
  readonly user: string
  /** The client's own word, shortened. */
  readonly applicationName: string
  /** Null for a local socket, and where the server would not say. */
  readonly address: string | null
  /** Null where the server would not say. */
  readonly since: Instant | null
}

export interface Looked {
  readonly sessions: readonly DirectSession[]
  /** Agent roles that may log in at all, whoever has their password. */
  readonly loginRoles: readonly string[]
  /** What was looked at. */
  readonly checked: readonly string[]
  readonly skipped: readonly { readonly subject: string; readonly reason: string }[]
}

export interface WatchReport {
  readonly sessions: readonly DirectSession[]
  readonly loginRoles: readonly string[]
  readonly checked: readonly string[]
  /** What could not be checked. Never empty when nothing was. */
  readonly skipped: readonly { readonly subject: string; readonly reason: string }[]
  /** One per role, application and address, and one per role that may log in. */
  readonly findings: readonly RecoveryAlert[]
  /** Of the findings, those to raise now: the others were told within `repeatAfterMs`. */
  readonly news: readonly RecoveryAlert[]
  /** Of the skipped, those not said within `repeatAfterMs`. */
  readonly newlySkipped: readonly { readonly subject: string; readonly reason: string }[]
}
