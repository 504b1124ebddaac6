/**
 * The gate's door where a request is short and an approved statement may be long: it is ordered elsewhere, and its answer
 * collected here, by this call or by a later one.
 *
 * Invariants: a statement is run for one ticket at most once at a time, and never again once its approval is used
 */
import type {
  Approval,
  ApprovalDesk,
  ApprovalState,
  OpenQueryGate,
  Principal,
  QueryAnswer,
  QueryRequest,
} from '#lib/gate/index.ts'
import type { ApprovalId } from '#lib/kernel/index.ts'
import { instantFrom } from '#lib/kernel/index.ts'
import type { Clock, RecordStore, WorkQueue } from '#lib/ports/index.ts'
import { executing, type Identity, lost } from './answer.ts'
import type { Ticket, TicketKey, TicketOrder } from './model.ts'
import { RUN_WORK } from './model.ts'
import { planTicket } from './plan.ts'
import { findTicket, putTicket, ticketKeyOf } from './shelf.ts'

export interface CollectPorts extends Identity {
  /** Opened with `runsApproved: 'elsewhere'`. */
  readonly gate: OpenQueryGate
  readonly approvals: ApprovalDesk
  readonly records: RecordStore
  readonly queue: WorkQueue
  readonly clock: Clock
  /** How long a call waits for its answer. */
  readonly waitMs: number
}

const LOOK_EVERY_MS = 250

interface Call {
  readonly key: TicketKey
  readonly order: TicketOrder
  readonly approval: Approval
  readonly correlationId: string | undefined
  readonly untilMs: number
  /** Aborted when the request has no time left: it may have waited for other things before. */
  readonly signal: AbortSignal | undefined
}

function orderOf(principal: Principal, request: QueryRequest): TicketOrder {
  const { query, agentId, parameters, reason } = request
  return {
    principal,
    request: {
      query,
      agentId,
      ...(parameters === undefined ? {} : { parameters }),
      ...(reason === undefined ? {} : { reason }),
    },
  }
}

async function send(ports: CollectPorts, { key, correlationId }: Call): Promise<void> {
  const correlation = correlationId === undefined ? {} : { correlationId }
  await ports.queue.send(RUN_WORK, { ...key }, { groupKey: key.approvalId, ...correlation })
}

/** Write the ticket, then send it: a message without a ticket would find nothing. */
async function queue(ports: CollectPorts, call: Call, before: Ticket | undefined): Promise<void> {
  const queuedAt = instantFrom(ports.clock.nowMs())
  if (await putTicket(ports.records, call.key, call.order, { state: 'queued', queuedAt }, before)) {
    await send(ports, call)
  }
}

async function collect(ports: CollectPorts, call: Call): Promise<QueryAnswer | undefined> {
  const { clock, records } = ports
  let state: ApprovalState = call.approval.state
  let hasSent = false
  for (;;) {
    const ticket = await findTicket(records, call.key)
    const step = planTicket(state, ticket?.progress, clock.nowMs())
    if (step === 'judge') return undefined
    if (step === 'lost') return lost(call.approval, ports)
    if (step === 'answer' && ticket?.progress.state === 'done') return ticket.progress.answer
    if (step === 'queue' && !hasSent) await queue(ports, call, ticket)
    // What this very call has ordered is its answer, also when it left the approval unused.
    else if (step === 'queue' && ticket?.progress.state === 'done') return ticket.progress.answer
    if (step === 'send-again' && !hasSent) await send(ports, call)
    hasSent = true
    if (clock.monotonicMs() >= call.untilMs || call.signal?.aborted) return executing(call.approval, ports)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    state = (await ports.approvals.find(call.approval.id))?.state ?? state
  }
}

async function callOf(
  ports: CollectPorts,
  principal: Principal,
  request: QueryRequest,
  approvalId: string,
): Promise<Call | undefined> {
  const approval = await ports.approvals.find(approvalId)
  if (approval?.binding.principal !== principal.name) return undefined
  const order = orderOf(principal, request)
  const { correlationId, signal } = request
  const untilMs = ports.clock.monotonicMs() + ports.waitMs
  return { key: ticketKeyOf(approval.id, order), order, approval, correlationId, untilMs, signal }
}

/** Put the door in front of the gate. */
export function openCollectingGate(ports: CollectPorts): OpenQueryGate {
  const { gate } = ports
  const collectFor = async (principal: Principal, request: QueryRequest, approvalId: ApprovalId | string) => {
    const call = await callOf(ports, principal, request, approvalId)
    return call === undefined ? undefined : collect(ports, call)
  }
  return {
    async execute(principal, request) {
      const collected =
        request.approvalId === undefined ? undefined : await collectFor(principal, request, request.approvalId)
      if (collected !== undefined) return collected
      const answer = await gate.execute(principal, request)
      if (answer.status !== 'approval_required') return answer
      return (await collectFor(principal, request, answer.approval_id)) ?? answer
    },
    analyze: (principal, request) => gate.analyze(principal, request),
    settled: () => gate.settled(),
  }
}
