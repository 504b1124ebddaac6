/** A held statement and its one decision. */
import type { ApprovalId, Instant, JsonValue, RiskLevel, Sha256Hex } from '#lib/kernel/index.ts'

export type ApprovalState = 'pending' | 'approved' | 'denied' | 'expired' | 'consumed'

/** Everything an approval is good for; a resubmission must match in every field. */
export interface ApprovalBinding {
  readonly principal: string
  readonly agentId: string
  readonly statementSha256: Sha256Hex
  readonly parametersSha256: Sha256Hex
  readonly database: string
  /** `oid:schema.name` of every resolved target, sorted. */
  readonly relations: readonly string[]
  /** `oid:identity:body digest` of every function outside pg_catalog, sorted. */
  readonly functions: readonly string[]
  readonly policyVersion: Sha256Hex
  /** Ids of the recovery points that covered the losing tables when it was held, sorted. A newer point replaces an older one. */
  readonly recoveryPoints: readonly string[]
}

/** What an approver is shown. `statement` is the agent's text, `agentReason` the agent's claim; everything else is ours. */
export interface ApprovalRequest {
  readonly binding: ApprovalBinding
  readonly statement: string
  /** The values of $1, $2, …; long ones cut, and the bound digest covers them whole. */
  readonly parameters?: readonly JsonValue[]
  readonly agentReason?: string
  readonly riskLevel: RiskLevel
  readonly operation: string
  readonly schema?: string
  readonly table?: string
  readonly policyReason: string
  readonly estimatedRows?: number
  readonly impactMethod: string
  readonly affectedPercent?: number
  /** Most rows that may change when it runs; absent: not bounded by a count (a destruction is bounded by its tables). */
  readonly maxRows?: number
  readonly snapshotAgeSeconds?: number
}

export interface ApprovalDecision {
  readonly outcome: 'approved' | 'denied'
  readonly decidedBy: string
  readonly decidedAt: Instant
  readonly comment?: string
}

export interface Approval extends ApprovalRequest {
  readonly id: ApprovalId
  readonly state: ApprovalState
  readonly createdAt: Instant
  readonly expiresAt: Instant
  readonly decision?: ApprovalDecision
  /** When the single use was claimed, and the audit event that shows what came of it. */
  readonly consumedAt?: Instant
  readonly auditId?: string
  /** The recovery points that covered the losing tables when it was claimed; may be newer than the binding's. */
  readonly claimedRecoveryPoints?: readonly string[]
  readonly version: number
}

export interface ApprovalPage {
  readonly approvals: readonly Approval[]
  readonly cursor?: string
}

export type ClaimRefusal =
  | { readonly ok: false; readonly because: 'pending' | 'denied' | 'expired' | 'consumed'; readonly approval: Approval }
  /** `fields` names each bound field that differs, such as `statement` or `functions`. */
  | {
      readonly ok: false
      readonly because: 'mismatch'
      readonly fields: readonly string[]
      readonly approval: Approval
    }

export type Claim = { readonly ok: true; readonly approval: Approval } | ClaimRefusal

/** The state machine `pending → approved | denied | expired`, `approved → consumed | expired`, over the record store. */
export interface ApprovalDesk {
  /**
   * Hold a statement. A request whose binding equals one of the principal's that is still pending, recovery points aside,
   * returns that one. Throws RATE_LIMITED when the principal has too many pending.
   */
  hold(request: ApprovalRequest): Promise<Approval>
  find(id: string): Promise<Approval | undefined>
  /**
   * The principal's approval, pending or approved and not expired, whose binding equals this one, recovery points aside.
   * Where there are both, the approved one: it can be used.
   */
  findFor(binding: ApprovalBinding): Promise<Approval | undefined>
  /** Newest first. */
  list(filter: {
    readonly state?: ApprovalState
    readonly limit?: number
    readonly cursor?: string
  }): Promise<ApprovalPage>
  /** Throws APPROVAL_MISSING, APPROVAL_SELF, APPROVAL_DECIDED (details: outcome, decidedBy, decidedAt of the first decision). */
  decide(
    id: string,
    decision: { readonly outcome: 'approved' | 'denied'; readonly decidedBy: string; readonly comment?: string },
  ): Promise<Approval>
  /** Take the single use. Exactly one caller gets `ok`. Throws APPROVAL_MISSING. */
  claim(id: string, binding: ApprovalBinding, auditId: string): Promise<Claim>
  /** Resolves as soon as the approval leaves `pending`, or when the time is over; whichever state it then has. */
  wait(id: string, timeoutMs: number, signal?: AbortSignal): Promise<Approval>
  /** Move what is overdue to `expired`; returns how many. */
  expireDue(): Promise<number>
}
