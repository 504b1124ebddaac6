/** Repeated risky attempts by an authenticated principal lead to quarantine. */
import type { Instant } from '#lib/kernel/index.ts'

export interface Quarantine {
  readonly principal: string
  readonly attempts: number
  readonly since: Instant
  readonly until: Instant
  /** What the principal called itself at the last attempt that counted. */
  readonly lastAgentId?: string
}

export interface ConductWatch {
  /** Undefined when the principal is free. */
  findQuarantine(principal: string): Promise<Quarantine | undefined>
  /** Count a blocked or denied attempt; returns the quarantine that it has led to, only for the attempt that began it. */
  noteAttempt(principal: string, agentId: string): Promise<Quarantine | undefined>
  /** End a quarantine early; idempotent. */
  release(principal: string, by: string): Promise<void>
  list(): Promise<readonly Quarantine[]>
}
