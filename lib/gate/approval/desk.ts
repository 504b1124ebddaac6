/** The approval desk: every step of a held statement, on the record store. */
import { BackstopError, instantFrom, retryConflicts } from '#lib/kernel/index.ts'
import type { RecordPage } from '#lib/ports/index.ts'
import { diffBindings } from './binding.ts'
import { findOpen, holdRequest } from './hold.ts'
import { consumeApproval, decideApproval } from './machine.ts'
import type { Approval, ApprovalBinding, ApprovalDesk, ApprovalPage, ApprovalState, Claim } from './model.ts'
import type { ApprovalDeskOptions } from './options.ts'
import { APPROVAL_PARTITION, DUE_PARTITION, statePartition } from './record.ts'
import type { Shelf } from './shelf.ts'
import { findApproval, getApproval, moveTo, openShelf, refreshListed } from './shelf.ts'

const MAX_COMMENT_LENGTH = 2_000
const MAX_WAIT_MS = 600_000
const EXPIRE_PAGE = 100

type DecisionInput = Parameters<ApprovalDesk['decide']>[1]
type ListFilter = Parameters<ApprovalDesk['list']>[0]

/** Open the desk. Several instances may work on one store. Throws CONFIG_INVALID for a limit out of bounds. */
export function openApprovalDesk(options: ApprovalDeskOptions): ApprovalDesk {
  const shelf = openShelf(options)
  return {
    hold: (request) => holdRequest(shelf, request),
    find: (id) => findApproval(shelf, id),
    findFor: async (binding) =>
      (await findOpen(shelf, binding, 'approved')) ?? (await findOpen(shelf, binding, 'pending')),
    list: (filter) => listApprovals(shelf, filter),
    decide: (id, decision) => decideHeld(shelf, id, decision),
    claim: (id, binding, auditId) => claimUse(shelf, id, binding, auditId),
    wait: (id, timeoutMs, signal) => waitForDecision(shelf, id, timeoutMs, signal),
    expireDue: () => expireDue(shelf),
  }
}

async function decideHeld(shelf: Shelf, id: string, input: DecisionInput): Promise<Approval> {
  const { outcome, decidedBy, comment } = input
  if (comment !== undefined && comment.length > MAX_COMMENT_LENGTH) {
    throw new BackstopError('BODY_INVALID', `a comment has at most ${MAX_COMMENT_LENGTH} characters`)
  }
  return retryConflicts(async () => {
    const approval = await getApproval(shelf, id)
    assertOtherPerson(shelf, approval, decidedBy)
    if (approval.state !== 'pending') throw alreadyDecided(approval)
    const decision = { outcome, decidedBy, ...(comment === undefined ? {} : { comment }) }
    return moveTo(shelf, decideApproval(approval, decision, shelf.options.clock.nowMs(), shelf.limits))
  })
}

function assertOtherPerson(shelf: Shelf, approval: Approval, decidedBy: string): void {
  if (decidedBy !== approval.binding.principal) return
  if (shelf.options.selfApproval === undefined) {
    throw new BackstopError('APPROVAL_SELF', 'the requester cannot decide on this approval')
  }
  shelf.options.selfApproval.warn(`${decidedBy} decides on their own request ${approval.id}: development mode only`)
}

function alreadyDecided(approval: Approval): BackstopError {
  const { decision, state } = approval
  const outcome = decision?.outcome ?? state
  const details = {
    state,
    outcome,
    decidedAt: decision?.decidedAt ?? approval.expiresAt,
    ...(decision === undefined ? {} : { decidedBy: decision.decidedBy }),
  }
  const message = decision === undefined ? 'the approval has expired' : `the approval was ${outcome} already`
  return new BackstopError('APPROVAL_DECIDED', message, { details })
}

async function claimUse(shelf: Shelf, id: string, binding: ApprovalBinding, auditId: string): Promise<Claim> {
  return retryConflicts(async () => {
    const approval = await getApproval(shelf, id)
    if (approval.state !== 'approved') return { ok: false, because: approval.state, approval }
    const fields = diffBindings(approval.binding, binding)
    if (fields.length > 0) return { ok: false, because: 'mismatch', fields, approval }
    const nowMs = shelf.options.clock.nowMs()
    return {
      ok: true,
      approval: await moveTo(shelf, consumeApproval(approval, auditId, binding.recoveryPoints, nowMs)),
    }
  })
}

async function listApprovals(shelf: Shelf, filter: ListFilter): Promise<ApprovalPage> {
  const { state, limit, cursor } = filter
  const page = await shelf.options.store.query({
    ...(state === undefined
      ? { partition: APPROVAL_PARTITION }
      : { partition: statePartition(state), index: 'index1' as const }),
    descending: true,
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
  })
  const approvals = await refreshPage(shelf, page, state)
  return page.cursor === undefined ? { approvals } : { approvals, cursor: page.cursor }
}

async function refreshPage(shelf: Shelf, page: RecordPage, state: ApprovalState | undefined): Promise<Approval[]> {
  const approvals: Approval[] = []
  for (const record of page.records) {
    const approval = await refreshListed(shelf, record)
    if (approval !== undefined && (state === undefined || approval.state === state)) approvals.push(approval)
  }
  return approvals
}

async function waitForDecision(
  shelf: Shelf,
  id: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Approval> {
  const timeout = AbortSignal.timeout(Math.min(Math.max(0, Math.ceil(timeoutMs)), MAX_WAIT_MS))
  const over = signal === undefined ? timeout : AbortSignal.any([timeout, signal])
  for (;;) {
    const listener = shelf.bell.listen(id)
    try {
      const isLast = over.aborted
      const approval = await getApproval(shelf, id)
      if (isLast || approval.state !== 'pending') return approval
      await listener.heard(shelf.limits.pollIntervalMs, over)
    } finally {
      listener.stop()
    }
  }
}

async function expireDue(shelf: Shelf): Promise<number> {
  let expiredCount = 0
  for (const id of shelf.deadlines.listOver()) {
    if ((await findApproval(shelf, id))?.state === 'expired') expiredCount += 1
  }
  const sortTo = `${instantFrom(shelf.options.clock.nowMs())}/~`
  let cursor: string | undefined
  do {
    const page = await shelf.options.store.query({
      partition: DUE_PARTITION,
      index: 'index2',
      sortTo,
      limit: EXPIRE_PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    })
    const approvals = await refreshPage(shelf, page, 'expired')
    expiredCount += approvals.length
    cursor = page.cursor
  } while (cursor !== undefined)
  return expiredCount
}
