/** Follow the verdict on a judged statement: block it, hold it, or run it. */
import { type AuditId, BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import type { Approval, ClaimRefusal } from '../approval/index.ts'
import { blocked, denied, executed, failed, held, type Outcome } from './answer.ts'
import { approvalRequest, bindingOf } from './binding.ts'
import { raiseByMeasure } from './judge.ts'
import { describeJudged } from './metadata.ts'
import type { GateParts } from './parts.ts'
import { ensureReady } from './readiness.ts'
import { noteRisky, pausedOutcome } from './stop.ts'
import type { Judged, Readiness } from './submission.ts'
import { type WriteReport, writeInTransaction, writeOutside } from './write.ts'

/** A statement whose meaning keeps changing under our hands is given up after this many looks. */
const MAX_LOOKS = 3

/** Settle everything but a pure read. */
export async function settle(parts: GateParts, judged: Judged, auditId: AuditId, look = 1): Promise<Outcome> {
  if (judged.verdict.action === 'block') return settleBlock(parts, judged)
  const approval = await findApproval(parts, judged)
  if (approval !== undefined && 'outcome' in approval) return approval.outcome
  if (approval?.usable !== undefined && parts.runsApproved === 'elsewhere') {
    return held(
      describeJudged(judged, parts, true),
      approval.usable,
      'It is approved: send it again with this approval_id.',
    )
  }
  if (approval?.usable === undefined) {
    const ready = await ensureReady(parts, judged.plan)
    if (!ready.ok) return unready(parts, judged, ready)
    if (judged.verdict.action === 'approve') return hold(parts, judged, ready)
  }
  return run(parts, raiseToApproved(judged, approval?.usable), approval?.usable, auditId, look)
}

/** What the guard once measured still holds when the approved statement comes back: it is secured as that. */
function raiseToApproved(judged: Judged, approval: Approval | undefined): Judged {
  if (approval?.impactMethod !== 'measured' || approval.estimatedRows === undefined) return judged
  return raiseByMeasure(judged, approval.estimatedRows, approval.affectedPercent)
}

async function settleBlock(parts: GateParts, judged: Judged): Promise<Outcome> {
  const outcome = blocked(describeJudged(judged, parts, false), judged.verdict.reason)
  await parts.alerts.raise({
    severity: 'critical',
    eventType: `blocked_${judged.statement.operation.toLowerCase().replaceAll(' ', '_')}`,
    title: `${judged.statement.operation} by ${judged.principal.name} was blocked`,
    recommendedAction: 'Ask why the agent tried it; nothing was executed.',
    facts: { principal: judged.principal.name, agentId: judged.request.agentId, operation: judged.statement.operation },
  })
  return noteRisky(parts, judged, outcome)
}

async function unready(parts: GateParts, judged: Judged, ready: Extract<Readiness, { ok: false }>): Promise<Outcome> {
  await parts.alerts.raise({
    severity: 'critical',
    eventType: 'recovery_readiness_failed',
    title: `${judged.statement.operation} was refused: no valid recovery point`,
    recommendedAction: 'Check the capture of the table with "backstop snapshots list" and the storage.',
    facts: { principal: judged.principal.name, operation: judged.statement.operation, reason: ready.reason },
    dedupeKey: `readiness:${judged.plan.readyTables.map((table) => `${table.schema}.${table.name}`).join(',')}`,
  })
  return blocked(describeJudged(judged, parts, false), ready.reason)
}

type FoundApproval = { readonly usable?: Approval } | { readonly outcome: Outcome }

/** The approval that the request names, or the newest one for exactly this statement. */
async function findApproval(parts: GateParts, judged: Judged): Promise<FoundApproval | undefined> {
  const { approvalId } = judged.request
  if (approvalId === undefined) {
    const found = await parts.approvals.findFor(bindingOf(judged, parts.writes, []))
    return found?.state === 'approved' ? { usable: found } : undefined
  }
  const named = await parts.approvals.find(approvalId)
  if (named === undefined || named.binding.principal !== judged.principal.name) {
    const missing = new BackstopError('APPROVAL_MISSING', 'There is no approval of yours with this id.')
    return { outcome: failed(describeJudged(judged, parts, false), missing, approvalId) }
  }
  if (named.state === 'pending')
    return { outcome: held(describeJudged(judged, parts, true), named, 'Nobody has decided yet.') }
  if (named.state === 'approved') return { usable: named }
  return { outcome: await refuseState(parts, judged, named) }
}

async function refuseState(parts: GateParts, judged: Judged, approval: Approval): Promise<Outcome> {
  const comment = approval.decision?.comment
  const said = {
    denied: `An operator denied it${comment === undefined ? '' : `: ${comment}`}.`,
    expired: 'The approval has expired; submit the statement again to ask anew.',
    consumed: 'The approval was used before; submit the statement again to ask anew.',
    pending: 'Nobody has decided yet.',
    approved: 'It is approved.',
  }[approval.state]
  const outcome = denied(describeJudged(judged, parts, true), said, approval.id)
  return approval.state === 'denied' ? noteRisky(parts, judged, outcome) : outcome
}

async function hold(parts: GateParts, judged: Judged, ready: Extract<Readiness, { ok: true }>): Promise<Outcome> {
  const metadata = describeJudged(judged, parts, true)
  const binding = bindingOf(judged, parts.writes, ready.points)
  const request = approvalRequest(judged, binding, metadata, ready.points, parts.clock.nowMs())
  const approval = await parts.approvals.hold(request).catch((error: unknown) => tellUnheld(parts, judged, error))
  await parts.alerts.raise({
    severity: 'warning',
    eventType: 'approval_requested',
    title: `${judged.statement.operation} by ${judged.principal.name} waits for a decision`,
    recommendedAction: `Read it with GET /pending and decide with POST /approve/${approval.id} or /deny/${approval.id}.`,
    facts: {
      approvalId: approval.id,
      principal: judged.principal.name,
      riskLevel: approval.riskLevel,
      expiresAt: approval.expiresAt,
    },
    dedupeKey: approval.id,
  })
  const message = `${judged.verdict.reason}. An operator has to approve it; then send the same statement again.`
  return held(metadata, approval, message)
}

/** Nothing was executed; but a request for a decision that nobody will see must not go unnoticed. */
async function tellUnheld(parts: GateParts, judged: Judged, error: unknown): Promise<never> {
  await parts.alerts.raise({
    severity: 'critical',
    eventType: 'approval_metadata_write_failed',
    title: `A request for approval by ${judged.principal.name} could not be kept`,
    recommendedAction: 'Check the metadata store, its space and its permissions; nothing was executed.',
    facts: { principal: judged.principal.name, operation: judged.statement.operation },
    dedupeKey: 'approval_metadata_write_failed',
  })
  throw error
}

async function run(
  parts: GateParts,
  judged: Judged,
  approval: Approval | undefined,
  auditId: AuditId,
  look: number,
): Promise<Outcome> {
  const extras = approval === undefined ? {} : { approvalId: approval.id }
  const metadata = describeJudged(judged, parts, true)
  try {
    const report = await runReport(parts, judged, approval, auditId)
    if (report.kind === 'ran') {
      const undo = report.kept === undefined ? {} : { undo: { auditId, kept: report.kept } }
      return executed(report.ran, metadata, parts.execution.limits, {
        ...extras,
        ...undo,
        recoveryPoints: report.points,
      })
    }
    return await afterAbort(parts, judged, report, auditId, look, approval !== undefined)
  } catch (error) {
    if (error instanceof StatementError || isBackstopError(error)) return failed(metadata, error, approval?.id)
    throw error
  }
}

function runReport(
  parts: GateParts,
  judged: Judged,
  approval: Approval | undefined,
  auditId: AuditId,
): Promise<WriteReport> {
  const { writes } = parts
  return judged.statement.transaction === 'outside'
    ? writes.withDedicatedSession((session) => writeOutside(parts, session, judged, approval, auditId))
    : writes.withSession((session) => writeInTransaction(parts, session, judged, approval, auditId))
}

async function afterAbort(
  parts: GateParts,
  judged: Judged,
  report: Exclude<WriteReport, { kind: 'ran' }>,
  auditId: AuditId,
  look: number,
  isApproved: boolean,
): Promise<Outcome> {
  if (report.kind === 'paused') {
    return pausedOutcome(parts, judged, isApproved ? 'approved_execution_blocked_paused' : 'execution_blocked_paused')
  }
  if (report.kind === 'not-undoable') return blocked(describeJudged(judged, parts, true), report.reason)
  if (report.kind === 'claim-refused') return refuseClaim(parts, judged, report.refusal)
  if (look === MAX_LOOKS) {
    const error = new BackstopError(
      'APPROVAL_MISMATCH',
      'What the statement reaches keeps changing while it is judged.',
    )
    return failed(describeJudged(judged, parts, false), error)
  }
  if (report.kind === 'changed') return settle(parts, report.judged, auditId, look + 1)
  const raised = raiseByMeasure(judged, report.stopped.changedRows, report.stopped.percent, report.stopped.catalogs)
  const outcome = await settle(parts, raised, auditId, look + 1)
  const facts = {
    rolledBackRows: report.stopped.changedRows,
    allowedRows: Math.min(report.stopped.allowedRows, Number.MAX_SAFE_INTEGER),
  }
  return { ...outcome, audit: { ...outcome.audit, facts: { ...outcome.audit.facts, ...facts } } }
}

async function refuseClaim(parts: GateParts, judged: Judged, refusal: ClaimRefusal): Promise<Outcome> {
  if (refusal.because !== 'mismatch') return refuseState(parts, judged, refusal.approval)
  parts.observer.noteApproval('binding_mismatch')
  const message = `This is not what was approved: ${refusal.fields.join(', ')} differ.`
  return denied(describeJudged(judged, parts, true), message, refusal.approval.id)
}
