/** An approval as the API shows it. */
import type { Approval, ApprovalState } from '#lib/gate/index.ts'
import type { ApiSettings } from '../model.ts'

const NEXT_STEPS: Record<ApprovalState, string> = {
  pending: 'Waiting for a decision.',
  approved: 'Approved: resubmit the same statement with this approval_id before it expires.',
  denied: 'Denied: do not submit the statement again without asking the operator.',
  expired: 'Expired: submit the statement again to ask anew.',
  consumed: 'Used: the statement was run once under this approval.',
}

function heldSafety(approval: Approval) {
  return {
    risk_level: approval.riskLevel,
    operation: approval.operation,
    schema: approval.schema ?? null,
    table: approval.table ?? null,
    policy_action: 'approve',
    policy_reason: approval.policyReason,
    requires_approval: true,
    recovery_possible: approval.binding.recoveryPoints.length > 0,
    estimated_affected_rows: approval.estimatedRows ?? null,
    affected_percent: approval.affectedPercent ?? null,
    impact_method: approval.impactMethod,
    max_rows: approval.maxRows ?? null,
  }
}

/** What an approver needs to decide. */
export function pendingView(approval: Approval, settings: ApiSettings) {
  const { binding } = approval
  return {
    id: approval.id,
    approval_id: approval.id,
    status: approval.state,
    query: approval.statement,
    sql: approval.statement,
    parameters: approval.parameters ?? [],
    query_sha256: binding.statementSha256,
    agent_id: binding.agentId,
    principal: binding.principal,
    risk_level: approval.riskLevel,
    operation: approval.operation,
    schema: approval.schema ?? null,
    table: approval.table ?? null,
    environment: settings.environment,
    cluster_id: settings.clusterId,
    snapshot_id: binding.recoveryPoints[0] ?? null,
    recovery_points: binding.recoveryPoints,
    snapshot_age_seconds: approval.snapshotAgeSeconds ?? null,
    safety_metadata: heldSafety(approval),
    agent_reason: approval.agentReason ?? null,
    agent_reason_is_claim: true,
    created_at: approval.createdAt,
    expires_at: approval.expiresAt,
  }
}

export function approvalView(approval: Approval, settings: ApiSettings) {
  return {
    ...pendingView(approval, settings),
    decided_at: approval.decision?.decidedAt ?? null,
    decided_by: approval.decision?.decidedBy ?? null,
    comment: approval.decision?.comment ?? null,
    consumed_at: approval.consumedAt ?? null,
    audit_id: approval.auditId ?? null,
    message: NEXT_STEPS[approval.state],
  }
}

/** For the requester, whose answer had the figures as far as they were meant for it. */
export function requesterView(approval: Approval, settings: ApiSettings) {
  const view = approvalView(approval, settings)
  const hidden = { estimated_affected_rows: null, affected_percent: null, impact_method: 'unknown', max_rows: null }
  return { ...view, safety_metadata: { ...view.safety_metadata, ...hidden } }
}
