/** Run one ticket: take it, let the gate run its statement, keep the answer. */
import { z } from 'zod'
import type { OpenQueryGate } from '#lib/gate/index.ts'
import {
  type ApprovalId,
  BackstopError,
  instantFrom,
  type JsonObject,
  type JsonValue,
  jsonDigest,
  type Sha256Hex,
} from '#lib/kernel/index.ts'
import type { Clock, RecordStore } from '#lib/ports/index.ts'
import type { Ticket, TicketKey } from './model.ts'
import { findTicket, putTicket } from './shelf.ts'

export interface RunPorts {
  readonly gate: OpenQueryGate
  readonly records: RecordStore
  readonly clock: Clock
}

/** `skipped`: another process has it, or had it. `missing`: there is no such ticket any more. */
export type RunReport =
  | { readonly outcome: 'done'; readonly status: string }
  | { readonly outcome: 'skipped' | 'missing' }

const keySchema = z.strictObject({
  approvalId: z.string().regex(/^appr_[0-9a-f]{32}$/),
  requestSha256: z.string().regex(/^[0-9a-f]{64}$/),
})

/** Throws WORK_INVALID. */
export function decodeTicketKey(body: JsonObject): TicketKey {
  const parsed = keySchema.safeParse(body)
  if (!parsed.success) throw new BackstopError('WORK_INVALID', 'the work names no ticket')
  return { approvalId: parsed.data.approvalId as ApprovalId, requestSha256: parsed.data.requestSha256 as Sha256Hex }
}

/** Undefined: it is not queued any more. The one process that moves it to `running` runs it. */
async function take({ records, clock }: RunPorts, ticket: Ticket): Promise<Ticket | undefined> {
  const { key, order, progress } = ticket
  if (progress.state !== 'queued') return undefined
  const running = { ...progress, state: 'running' as const, startedAt: instantFrom(clock.nowMs()) }
  const isTaken = await putTicket(records, key, order, running, ticket)
  return isTaken ? { ...ticket, progress: running, version: ticket.version + 1 } : undefined
}

/**
 * Run it.
 *
 * Invariants: a duplicate delivery does nothing; what ends in the middle stays `running` and is never run again
 * Throws:     METADATA_UNREACHABLE before anything ran, or when the answer cannot be kept: the effect then stands in the ledger
 */
export async function runTicket(ports: RunPorts, key: TicketKey, correlationId?: string): Promise<RunReport> {
  const found = await findTicket(ports.records, key)
  if (found === undefined) return { outcome: 'missing' }
  const taken = await take(ports, found)
  if (taken === undefined || taken.progress.state !== 'running') return { outcome: 'skipped' }
  const { principal, request } = taken.order
  const correlation = correlationId === undefined ? {} : { correlationId }
  const answer = await ports.gate.execute(principal, { ...request, ...correlation, approvalId: key.approvalId })
  const done = {
    ...taken.progress,
    state: 'done' as const,
    doneAt: instantFrom(ports.clock.nowMs()),
    answer,
    answerSha256: jsonDigest(answer as unknown as JsonValue),
  }
  await putTicket(ports.records, key, taken.order, done, taken)
  return { outcome: 'done', status: answer.status }
}
