/** What an approval of a submission is bound to, and what its approver is shown. Pure. */
import { epochMsOf, type JsonValue, jsonDigest } from '#lib/kernel/index.ts'
import type { Database, RecoveryPoint } from '#lib/ports/index.ts'
import type { ApprovalBinding, ApprovalRequest } from '../approval/index.ts'
import { bindFunctions, bindRelations } from '../assess/index.ts'
import type { SafetyMetadata } from './model.ts'
import type { Judged } from './submission.ts'

export function bindingOf(judged: Judged, database: Database, points: readonly RecoveryPoint[]): ApprovalBinding {
  return {
    principal: judged.principal.name,
    agentId: judged.request.agentId,
    statementSha256: judged.statement.textSha256,
    parametersSha256: jsonDigest((judged.request.parameters ?? []) as readonly JsonValue[]),
    database: database.label,
    relations: bindRelations(judged.assessment),
    functions: bindFunctions(judged.assessment),
    policyVersion: judged.active.version,
    recoveryPoints: points.map((point) => point.snapshotId).sort(),
  }
}

/** A figure that is exact bounds the run; an estimate does not, then the policy's threshold does. */
function maxRowsOf(judged: Judged): number | undefined {
  const { impact } = judged.assessment
  if (impact.method === 'counted' || impact.method === 'measured') return impact.rowCount
  return judged.active.policy.impact_analysis_enabled ? judged.active.policy.max_write_rows_without_critical : undefined
}

const LONGEST_SHOWN_CHARACTERS = 500
const MOST_SHOWN_PARAMETERS = 100

/** As far as a person reads them: what is cut says so. */
function shownParameters(parameters: readonly JsonValue[]): readonly JsonValue[] {
  const left = parameters.length - MOST_SHOWN_PARAMETERS
  const shown = parameters.slice(0, MOST_SHOWN_PARAMETERS).map((value) => {
    if (typeof value !== 'string' || value.length <= LONGEST_SHOWN_CHARACTERS) return value
    return `${value.slice(0, LONGEST_SHOWN_CHARACTERS).toWellFormed()} … [cut: ${value.length} characters]`
  })
  return left > 0 ? [...shown, `… [cut: ${left} more values]`] : shown
}

export function approvalRequest(
  judged: Judged,
  binding: ApprovalBinding,
  metadata: SafetyMetadata,
  points: readonly RecoveryPoint[],
  nowMs: number,
): ApprovalRequest {
  const oldestMs = Math.min(...points.map((point) => epochMsOf(point.capturedAt)))
  const maxRows = maxRowsOf(judged)
  const { request, verdict, facts } = judged
  const { impact } = judged.assessment
  return {
    binding,
    statement: request.query,
    ...(request.parameters === undefined ? {} : { parameters: shownParameters(request.parameters) }),
    ...(request.reason === undefined ? {} : { agentReason: request.reason }),
    riskLevel: facts.level,
    operation: judged.statement.operation,
    ...(metadata.schema === null ? {} : { schema: metadata.schema }),
    ...(metadata.table === null ? {} : { table: metadata.table }),
    policyReason: verdict.reason,
    ...(impact.rowCount === undefined ? {} : { estimatedRows: impact.rowCount }),
    impactMethod: impact.method,
    ...(impact.percent === undefined ? {} : { affectedPercent: impact.percent }),
    ...(maxRows === undefined ? {} : { maxRows }),
    ...(points.length === 0 ? {} : { snapshotAgeSeconds: Math.max(0, Math.round((nowMs - oldestMs) / 1_000)) }),
  }
}
