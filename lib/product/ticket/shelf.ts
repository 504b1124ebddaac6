/** Tickets in the record store: written once, moved on by compare-and-set. */
import { isBackstopError, type JsonValue, jsonDigest } from '#lib/kernel/index.ts'
import type { RecordStore } from '#lib/ports/index.ts'
import type { Ticket, TicketKey, TicketOrder, TicketProgress } from './model.ts'
import { decodeTicket, encodeTicket, ticketRecordKey } from './record.ts'

/** Bound to the principal and to everything that the gate would judge. */
export function ticketKeyOf(approvalId: TicketKey['approvalId'], { principal, request }: TicketOrder): TicketKey {
  const { query, agentId, parameters } = request
  const bound: readonly JsonValue[] = [principal.name, agentId, query, (parameters ?? []) as readonly JsonValue[]]
  return { approvalId, requestSha256: jsonDigest(bound) }
}

export async function findTicket(records: RecordStore, key: TicketKey): Promise<Ticket | undefined> {
  const record = await records.find(ticketRecordKey(key))
  return record === undefined ? undefined : decodeTicket(key, record)
}

/** False: another process was faster; look again. */
export async function putTicket(
  records: RecordStore,
  key: TicketKey,
  order: TicketOrder,
  progress: TicketProgress,
  before: Ticket | undefined,
): Promise<boolean> {
  const record = encodeTicket(key, order, progress)
  try {
    await records.write(
      before === undefined ? { kind: 'create', record } : { kind: 'replace', record, expectedVersion: before.version },
    )
    return true
  } catch (error) {
    if (isBackstopError(error, 'RECORD_CHANGED') || isBackstopError(error, 'RECORD_EXISTS')) return false
    throw error
  }
}
