/** See what is held, decide on it, wait for a decision. */
import type { Approval } from '#lib/gate/index.ts'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { Answer } from '../answer/index.ts'
import { jsonAnswer } from '../answer/index.ts'
import { awaitDecision } from '../await-decision.ts'
import type { CallContext } from '../context.ts'
import { coversScope } from '../token/index.ts'
import { approvalView, pageView, pendingView, requesterView } from '../view/index.ts'
import { audited } from './audited.ts'
import type { Handler } from './model.ts'

const APPROVAL_ID = /^appr_[0-9a-f]{32}$/

function missing(): BackstopError {
  return new BackstopError('APPROVAL_MISSING', 'no approval has this id')
}

/** Most that `GET /pending` shows; more than a person can read. */
const MOST_PENDING = 1_000

async function collectPending(context: CallContext): Promise<readonly Approval[]> {
  const found: Approval[] = []
  let cursor: string | undefined
  do {
    const page = await context.services.approvals.list({
      state: 'pending',
      limit: MOST_PENDING - found.length,
      ...(cursor === undefined ? {} : { cursor }),
    })
    found.push(...page.approvals)
    cursor = page.cursor
  } while (cursor !== undefined && found.length < MOST_PENDING)
  return found.reverse()
}

export const listPending: Handler<'listPending'> = async (context) => {
  const pending = (await collectPending(context)).map((approval) => pendingView(approval, context.settings))
  return jsonAnswer(200, { pending, count: pending.length })
}

export const listApprovals: Handler<'listApprovals'> = async (context, { query }) => {
  const { state, limit, cursor } = query
  const page = await context.services.approvals.list({
    limit,
    ...(state === undefined ? {} : { state }),
    ...(cursor === undefined ? {} : { cursor }),
  })
  const items = page.approvals.map((approval) => approvalView(approval, context.settings))
  return jsonAnswer(200, pageView(items, page.cursor))
}

/** To a caller who may not see it, an approval looks as if it did not exist. */
async function findVisible(context: CallContext, id: string): Promise<Approval> {
  const { principal, services } = context
  const approval = APPROVAL_ID.test(id) ? await services.approvals.find(id) : undefined
  const isVisible = coversScope(principal.scopes, 'approval:read') || approval?.binding.principal === principal.name
  if (approval !== undefined && isVisible) return approval
  throw missing()
}

export const readApproval: Handler<'readApproval'> = async (context, { params, query }) => {
  const found = await findVisible(context, params.id)
  const shouldWait = found.state === 'pending' && query.wait > 0
  const approval = shouldWait ? await awaitDecision(context, found.id, query.wait) : found
  const view = coversScope(context.principal.scopes, 'approval:read') ? approvalView : requesterView
  if (approval !== undefined) return jsonAnswer(200, view(approval, context.settings))
  throw new BackstopError('RATE_LIMITED', 'too many requests wait for a decision', {
    details: { retryAfterSeconds: 1 },
  })
}

async function decideHeld(
  context: CallContext,
  id: string,
  outcome: 'approved' | 'denied',
  comment?: string,
): Promise<Answer> {
  if (!APPROVAL_ID.test(id)) throw missing()
  const decision = { outcome, decidedBy: context.principal.name, ...(comment === undefined ? {} : { comment }) }
  const intent = { action: 'approval-decided', approvalId: id, facts: { outcome } }
  const approval = await audited(context, intent, () => context.services.approvals.decide(id, decision)).catch(
    (error: unknown) => {
      throw isBackstopError(error, 'APPROVAL_DECIDED') ? withId(error, id) : error
    },
  )
  context.services.metrics.noteApproval(outcome)
  if (outcome === 'denied') await tellDenial(context, approval)
  return jsonAnswer(200, {
    status: outcome,
    approval_id: approval.id,
    decided_at: approval.decision?.decidedAt,
    decided_by: approval.decision?.decidedBy,
    comment: approval.decision?.comment ?? null,
  })
}

function tellDenial({ services, principal }: CallContext, { id, binding, riskLevel, operation }: Approval) {
  return services.alerts.raise({
    severity: 'warning',
    eventType: 'approval_denied',
    title: `${operation} by ${binding.principal} was denied by ${principal.name}`,
    recommendedAction: 'Ask why the agent wanted it; nothing was executed.',
    facts: { approvalId: id, principal: binding.principal, deniedBy: principal.name, riskLevel, operation },
  })
}

function withId(error: BackstopError, approvalId: string): BackstopError {
  return new BackstopError(error.code, error.message, { cause: error, details: { ...error.details, approvalId } })
}

export const approve: Handler<'approve'> = (context, { params, body }) =>
  decideHeld(context, params.id, 'approved', body.comment)

export const deny: Handler<'deny'> = (context, { params, body }) =>
  decideHeld(context, params.id, 'denied', body.comment)
