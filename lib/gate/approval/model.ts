/** A held statement and its one decision. */
import type { ApprovalId, Instant, RiskLevel, Sha256Hex } from '#lib/kernel/index.ts'

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
  readonly version: number
}
