/** An approved statement on its way to a process that has the time to run it. */
import type { Principal, QueryAnswer, QueryRequest } from '#lib/gate/index.ts'
import type { ApprovalId, Instant, Sha256Hex } from '#lib/kernel/index.ts'

/** One approval and one exact request of one principal: nobody else's call has this key. */
export interface TicketKey {
  readonly approvalId: ApprovalId
  readonly requestSha256: Sha256Hex
}

/** What is run, and for whom. */
export interface TicketOrder {
  readonly principal: Principal
  readonly request: Pick<QueryRequest, 'query' | 'agentId' | 'parameters' | 'reason'>
}

export interface QueuedTicket {
  readonly state: 'queued'
  readonly queuedAt: Instant
}

export interface RunningTicket {
  readonly state: 'running'
  readonly queuedAt: Instant
  readonly startedAt: Instant
}

export interface DoneTicket {
  readonly state: 'done'
  readonly queuedAt: Instant
  readonly startedAt: Instant
  readonly doneAt: Instant
  /** Rows that do not fit a record are left out, and the answer says so. */
  readonly answer: QueryAnswer
  /** Digest of the whole answer, before anything was left out. */
  readonly answerSha256: Sha256Hex
}

export type TicketProgress = QueuedTicket | RunningTicket | DoneTicket

export interface Ticket {
  readonly key: TicketKey
  readonly order: TicketOrder
  readonly progress: TicketProgress
  /** Of its record. */
  readonly version: number
}

/** The kind of work that carries a ticket's key to whoever runs it. */
export const RUN_WORK = 'run'
