/** A ticket as one record, and back. */
import { inflateRawSync } from 'node:zlib'
import { BackstopError, epochMsOf, isSameDigest, type JsonObject, sha256Hex } from '#lib/kernel/index.ts'
import type { RecordInput, RecordKey, StoredRecord } from '#lib/ports/index.ts'
import { pack, packAnswer, unpackAnswer } from './bound-answer.ts'
import type { DoneTicket, Ticket, TicketKey, TicketOrder, TicketProgress } from './model.ts'

/** An answer can be collected for so long. */
const KEPT_S = 2 * 86_400

export function ticketRecordKey({ approvalId, requestSha256 }: TicketKey): RecordKey {
  return { partition: `run-ticket#${approvalId}`, sort: requestSha256 }
}

function encodeProgress(progress: TicketProgress): JsonObject {
  if (progress.state !== 'done') return { ...progress }
  const { answer, ...rest } = progress
  const packed = packAnswer(answer)
  return { ...rest, packed, packedSha256: sha256Hex(packed) }
}

/** The request is packed too: escapes can make a statement six times as long as it is. */
export function encodeTicket(key: TicketKey, order: TicketOrder, progress: TicketProgress): RecordInput {
  const { principal, request } = order
  return {
    key: ticketRecordKey(key),
    body: {
      principal: principal as unknown as JsonObject,
      request: pack(request),
      progress: encodeProgress(progress),
    },
    expiresAtS: Math.floor(epochMsOf(progress.queuedAt) / 1_000) + KEPT_S,
  }
}

interface TicketBody {
  readonly principal: TicketOrder['principal']
  readonly request: string
  readonly progress: TicketProgress | (Omit<DoneTicket, 'answer'> & { packed: string; packedSha256: string })
}

function decodeProgress(progress: TicketBody['progress']): TicketProgress {
  if (!('packed' in progress)) return progress
  const { packed, packedSha256, ...rest } = progress
  if (!isSameDigest(sha256Hex(packed), packedSha256 as DoneTicket['answerSha256'])) {
    throw new BackstopError('METADATA_UNREACHABLE', 'the kept answer of a statement is not the one that was written')
  }
  return { ...rest, answer: unpackAnswer(packed) }
}

export function decodeTicket(key: TicketKey, record: StoredRecord): Ticket {
  const { principal, request, progress } = record.body as unknown as TicketBody
  return {
    key,
    order: { principal, request: JSON.parse(inflateRawSync(Buffer.from(request, 'base64')).toString()) },
    progress: decodeProgress(progress),
    version: record.version,
  }
}
