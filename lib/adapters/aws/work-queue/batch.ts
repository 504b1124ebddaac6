/** A batch that the platform pulled from SQS for a function: each message to its handler, and the failed ones' names back. */
import type { DeliveryPorts, ReceivedMessage, WorkHandlers } from './deliver.ts'
import { deliverMessage, hide } from './deliver.ts'
import { isFifoQueue } from './place.ts'

/** What is used of the event of an SQS event source mapping. */
export interface SqsBatchEvent {
  readonly Records: readonly SqsBatchRecord[]
}

export interface SqsBatchRecord {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  readonly attributes: { readonly ApproximateReceiveCount?: string; readonly MessageGroupId?: string }
  readonly eventSourceARN: string
}

/** Takes `ReportBatchItemFailures` in the mapping; without it the platform deletes failed messages too. */
export interface SqsBatchResponse {
  batchItemFailures: { itemIdentifier: string }[]
}

export interface SqsBatchPorts extends Omit<DeliveryPorts, 'handlers'> {
  /** Messages at once; 4 when absent. Those of one FIFO group never. */
  readonly concurrency?: number
  /** No message is begun with less time left than this; 2,000 when absent. */
  readonly reserveMs?: number
}

const DEFAULT_CONCURRENCY = 4
const DEFAULT_RESERVE_MS = 2_000

/**
 * Handle one batch.
 *
 * Invariants: never throws: the platform would deliver the whole batch again, what succeeded included
 * Invariants: in a FIFO queue the first failure ends its group: it and all after it come back, in their order, when its wait
 *             is over. A message without a group there belongs to one group with all others of its kind
 * Invariants: what is not begun for lack of time comes back at once
 */
export async function handleSqsBatch(
  event: SqsBatchEvent,
  handlers: WorkHandlers,
  ports: SqsBatchPorts,
): Promise<SqsBatchResponse> {
  const failed = new Set<string>()
  const lines = planLines(event.Records)
  const workers = Array.from({ length: Math.min(ports.concurrency ?? DEFAULT_CONCURRENCY, lines.length) }, async () => {
    for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
      for (const messageId of await handleLine({ ...ports, handlers }, line)) failed.add(messageId)
    }
  })
  await Promise.all(workers)
  const inOrder = event.Records.filter(({ messageId }) => failed.has(messageId))
  return { batchItemFailures: inOrder.map(({ messageId }) => ({ itemIdentifier: messageId })) }
}

/** Messages that must follow each other, line by line; outside FIFO queues every message is a line. */
function planLines(records: readonly SqsBatchRecord[]): SqsBatchRecord[][] {
  const lines = new Map<string, SqsBatchRecord[]>()
  for (const record of records) {
    const group = record.attributes.MessageGroupId ?? ''
    const line = isFifoQueue(record.eventSourceARN) ? `group ${group}` : `message ${record.messageId}`
    lines.set(line, [...(lines.get(line) ?? []), record])
  }
  return [...lines.values()]
}

/** The ids of those that did not succeed. */
async function handleLine(ports: SqsBatchPorts & DeliveryPorts, line: readonly SqsBatchRecord[]): Promise<string[]> {
  const failed: string[] = []
  let retryAfterS: number | undefined
  for (const record of line) {
    const message = toMessage(record)
    if (retryAfterS === undefined && ports.remainingMs() < (ports.reserveMs ?? DEFAULT_RESERVE_MS)) retryAfterS = 0
    const outcome =
      retryAfterS === undefined ? await deliverMessage(ports, message) : await hide(ports, message, retryAfterS)
    if (outcome.isDone) continue
    retryAfterS = outcome.retryAfterS
    failed.push(message.messageId)
  }
  return failed
}

function toMessage({ messageId, receiptHandle, body, attributes }: SqsBatchRecord): ReceivedMessage {
  return { messageId, receiptHandle, body, attempt: readAttempt(attributes.ApproximateReceiveCount) }
}

export function readAttempt(receiveCount: string | undefined): number {
  const attempt = Number(receiveCount)
  return Number.isSafeInteger(attempt) && attempt >= 1 ? attempt : 1
}
