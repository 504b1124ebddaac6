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

/**
 * One immutable line of the ledger. `event`: intent and result at once. `late-result`: what a caller reported after the event
 * had been given up as `unknown`.
 */
export type AuditEntry =
  | {
      readonly kind: 'intent'
      readonly id: AuditId
      readonly at: Instant
      readonly environment: string
      readonly intent: AuditIntent
    }
  | {
      readonly kind: 'event'
      readonly id: AuditId
      readonly at: Instant
      readonly environment: string
      readonly intent: AuditIntent
      readonly result: AuditResult
    }
  | {
      readonly kind: 'result' | 'late-result'
      readonly id: AuditId
      readonly at: Instant
      readonly environment: string
      readonly result: AuditResult
    }

export interface AuditFilter {
  readonly agentId?: string
  readonly risk?: RiskLevel
  readonly principal?: string
  /** Inclusive, both. */
  readonly from?: Instant
  readonly to?: Instant
  /** 1 to 500; 100 when absent. A page may be shorter than this and still have a cursor. */
  readonly limit?: number
  readonly cursor?: string
}

export interface AuditPage {
  /** Newest first. */
  readonly events: readonly AuditEvent[]
  readonly cursor?: string
}

/** The end of the chain: whoever holds an earlier one can tell that nothing before it was changed or cut off. */
export interface LedgerHead {
  /** 0: nothing is sealed yet. */
  readonly number: number
  readonly sha256: Sha256Hex
  /** Entries in all segments up to this one. */
  readonly entryCount: number
  readonly sealedAt: Instant
}

/** Keep the head where the ledger's keeper cannot change it. */
export type AnchorHead = (head: LedgerHead) => Promise<void>

export interface SealReport {
  /** Numbers of the segments that this run completed, its own and those that a killed sealer had begun. */
  readonly segments: readonly number[]
  readonly entryCount: number
  /** Why the newest head is not anchored yet; the next run tries again. */
  readonly anchorFailure?: string
}

/** The ledger with what operators and schedules do with it. */
export interface OpenAuditLedger extends AuditLedger {
  list(filter?: AuditFilter): Promise<AuditPage>
  /** One event, as far as the record store still holds it. */
  find(id: AuditId): Promise<AuditEvent | undefined>
  /** Events without a result. */
  countOpen(): Promise<number>
  /** Give events that are open for longer than this the outcome `unknown`; returns how many. */
  reconcile(openForMs: number): Promise<number>
  /** Seal everything that is not sealed. Safe to run anywhere, at any time, at once. Throws AUDIT_UNAVAILABLE, AUDIT_BROKEN. */
  sealDue(): Promise<SealReport>
}
