/** A batch that the platform pulled from SQS for a function: each message to its handler, and the failed ones' names back. */
import type { DeliveryPorts, ReceivedMessage, WorkHandlers } from './deliver.ts'
import { hideMessage, holdMessage, tryMessage } from './deliver.ts'
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
 * Invariants: all messages stay hidden until the batch is over, those too that wait and those that are done: the platform
 *             deletes none before
 */
export async function handleSqsBatch(
  event: SqsBatchEvent,
  handlers: WorkHandlers,
  ports: SqsBatchPorts,
): Promise<SqsBatchResponse> {
  const batch = { ...ports, handlers }
  const held = event.Records.map((record) => ({
    ...toMessage(record),
    letGo: holdMessage(batch, toMessage(record)),
    record,
  }))
  const failed = await handleLines(batch, planLines(held)).finally(() => Promise.all(held.map(({ letGo }) => letGo())))
  const inOrder = event.Records.filter(({ messageId }) => failed.has(messageId))
  return { batchItemFailures: inOrder.map(({ messageId }) => ({ itemIdentifier: messageId })) }
}

/** A message of the batch, hidden from others until it is let go. */
interface HeldMessage extends ReceivedMessage {
  readonly record: SqsBatchRecord
  readonly letGo: () => Promise<void>
}

/** Messages that must follow each other, line by line; outside FIFO queues every message is a line. */
function planLines(messages: readonly HeldMessage[]): HeldMessage[][] {
  const lineOf = ({ messageId, record: { eventSourceARN, attributes } }: HeldMessage) =>
    isFifoQueue(eventSourceARN) ? `group ${attributes.MessageGroupId ?? ''}` : `message ${messageId}`
  return [...Map.groupBy(messages, lineOf).values()]
}

/** The ids of those that did not succeed. */
async function handleLines(ports: SqsBatchPorts & DeliveryPorts, lines: HeldMessage[][]): Promise<Set<string>> {
  const failed = new Set<string>()
  const workers = Array.from({ length: Math.min(ports.concurrency ?? DEFAULT_CONCURRENCY, lines.length) }, async () => {
    for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
      for (const messageId of await handleLine(ports, line)) failed.add(messageId)
    }
  })
  await Promise.all(workers)
  return failed
}

async function handleLine(ports: SqsBatchPorts & DeliveryPorts, line: readonly HeldMessage[]): Promise<string[]> {
  const failed: string[] = []
  let retryAfterS: number | undefined
  for (const message of line) {
    if (retryAfterS === undefined && ports.remainingMs() < (ports.reserveMs ?? DEFAULT_RESERVE_MS)) retryAfterS = 0
    if (retryAfterS === undefined) {
      const outcome = await tryMessage(ports, message)
      if (outcome.isDone) continue
      retryAfterS = outcome.retryAfterS
    }
    await message.letGo()
    await hideMessage(ports, message, retryAfterS)
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
