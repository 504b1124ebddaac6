/** Events of the ledger and the segments that seal them. */
import type { AuditId, Instant, JsonObject, RiskLevel, Sha256Hex } from '#lib/kernel/index.ts'

export type AuditOutcome =
  | 'executed'
  | 'blocked'
  | 'held'
  | 'denied'
  | 'failed'
  | 'rolled-back'
  | 'unknown'
  | 'recorded'

/** What is about to happen; durable before any effect. */
export interface AuditIntent {
  /** `statement`, `approval-decided`, `policy-changed`, `paused`, `resumed`, `snapshot`, `restore`, … */
  readonly action: string
  readonly principal: string
  readonly agentId?: string
  /** Scrubbed of literals that look like secrets, cut at 8 KiB. */
  readonly query?: string
  readonly querySha256?: Sha256Hex
  readonly riskLevel?: RiskLevel
  readonly operation?: string
  readonly approvalId?: string
  readonly facts?: JsonObject
}

/** What came of it. */
export interface AuditResult {
  readonly outcome: AuditOutcome
  readonly rowCount?: number
  readonly durationMs?: number
  /** SQLSTATE or an error code; never a message with values. */
  readonly errorCode?: string
  readonly policyReason?: string
  readonly facts?: JsonObject
}

export interface AuditEvent {
  readonly id: AuditId
  readonly at: Instant
  readonly environment: string
  readonly intent: AuditIntent
  /** Absent while it runs, and for good after a crash: then the outcome is not known. */
  readonly result?: AuditResult
  readonly finishedAt?: Instant
}

/** What the rest of the gate does with the ledger. */
export interface AuditLedger {
  /** Durable when it returns. Throws AUDIT_UNAVAILABLE: then nothing may be executed. */
  begin(intent: AuditIntent): Promise<AuditId>
  /** Throws AUDIT_UNAVAILABLE; the effect stands and the event stays open, to be reconciled. */
  finish(id: AuditId, result: AuditResult): Promise<void>
  /** Intent and result in one durable write, for what has no effect of its own. */
  record(intent: AuditIntent, result: AuditResult): Promise<AuditId>
}
