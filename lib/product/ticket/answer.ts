/** What an agent is told about a statement that runs elsewhere. Pure. */
import type { Approval, ExecutingAnswer, FailedAnswer, SafetyMetadata } from '#lib/gate/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'

export interface Identity {
  readonly environment: string
  readonly clusterId: string
}

/** As far as the approval tells it: the statement is judged anew where it runs. */
function describeApproval(approval: Approval, identity: Identity): SafetyMetadata {
  const { riskLevel, operation, binding } = approval
  const isSecured = binding.recoveryPoints.length > 0
  return {
    risk_level: riskLevel,
    operation,
    table: approval.table ?? null,
    schema: approval.schema ?? null,
    table_recoverable: isSecured,
    recovery_required: isSecured,
    recovery_possible: isSecured,
    policy_action: 'approve',
    policy_reason: approval.policyReason,
    requires_approval: true,
    parse_error_present: false,
    estimated_affected_rows: approval.estimatedRows ?? null,
    estimated_table_rows: null,
    affected_percent: approval.affectedPercent ?? null,
    impact_method: approval.impactMethod,
    protected_table: null,
    protected_columns: [],
    findings: [],
    environment: identity.environment,
    cluster_id: identity.clusterId,
  }
}

function baseOf(approval: Approval, identity: Identity) {
  return {
    risk_level: approval.riskLevel,
    safety_metadata: describeApproval(approval, identity),
    audit_id: null,
    approval_id: approval.id,
  }
}

/** It runs, or is about to. */
export function executing(approval: Approval, identity: Identity): ExecutingAnswer {
  const message =
    'It is approved and being executed. Send exactly the same call with this approval_id again to collect the answer; ' +
    'it is run once, however often you ask.'
  return { ...baseOf(approval, identity), status: 'executing', message }
}

/** Its process ended in the middle. */
export function lost(approval: Approval, identity: Identity): FailedAnswer {
  const { code, message, hint } = new BackstopError(
    'EXECUTION_UNKNOWN',
    'The process that ran the statement ended before it could say what came of it. It is not run again.',
  )
  return { ...baseOf(approval, identity), status: 'failed', error: { code, message, hint }, effect: 'unknown' }
}
