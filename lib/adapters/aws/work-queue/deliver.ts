/** One delivery: a message's work to its handler, signs of life meanwhile, and a growing wait after a failure. */
import { BackstopError } from '#lib/kernel/index.ts'
import { type Clock, retryDelayAfter, type WorkHandler, type WorkItem } from '#lib/ports/index.ts'
import { decodeWorkMessage } from './message.ts'
import { itemIdOf } from './queue.ts'
import type { SqsVisibility } from './visibility.ts'
import { growingDelayMs, MAX_VISIBILITY_S, startHeartbeat } from './visibility.ts'

export interface ReceivedMessage {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  /** 1 on the first delivery. */
  readonly attempt: number
}

/** `message`: it holds no work that anybody here knows. `work`: the handler threw. `queue`: SQS did not do what it was asked. */
export interface SqsWorkFailure {
  readonly stage: 'message' | 'work' | 'queue'
  readonly error: unknown
  readonly messageId?: string
  readonly attempt?: number
  readonly item?: WorkItem
}

export type WorkHandlers = Readonly<Record<string, WorkHandler>>

export interface DeliveryPorts {
  readonly handlers: WorkHandlers
  readonly visibility: SqsVisibility
  readonly clock: Clock
  /** Whole seconds that a message stays hidden after each sign of life of its handler. */
  readonly leaseS: number
  /** What the process has left to live. */
  readonly remainingMs: () => number
  readonly retryDelayMs?: (attempt: number) => number
  readonly onFailure: (failure: SqsWorkFailure) => void
}

/** What came of it, and after a failure how long the message stays hidden. */
export type DeliveryOutcome = { readonly isDone: true } | { readonly isDone: false; readonly retryAfterS: number }

/**
 * Hand the message's work to its handler, once. Never throws: a failure is reported, and the message is the caller's to hide.
 *
 * Invariants: a message that holds no work at all waits for nothing: its attempts run out at once, and it lies in the
 *             dead-letter queue before it can hold others up
 */
export async function tryMessage(ports: DeliveryPorts, message: ReceivedMessage): Promise<DeliveryOutcome> {
  const { messageId, attempt } = message
  let item: WorkItem
  try {
    item = readItem(message)
  } catch (error) {
    ports.onFailure({ stage: 'message', error, messageId, attempt })
    return { isDone: false, retryAfterS: 0 }
  }
  let failure: unknown
  try {
    await findHandler(ports.handlers, item.kind)(item)
    return { isDone: true }
  } catch (error) {
    failure = error
    ports.onFailure({ stage: 'work', error, messageId, attempt, item })
  }
  const delayMs = retryDelayAfter(failure, (ports.retryDelayMs ?? growingDelayMs)(attempt))
  return { isDone: false, retryAfterS: Math.min(Math.ceil(delayMs / 1_000), MAX_VISIBILITY_S) }
}

/** Keep the message hidden until the returned function has returned. */
export function holdMessage(ports: DeliveryPorts, { receiptHandle, messageId, attempt }: ReceivedMessage) {
  const onFailure = (error: unknown) => ports.onFailure({ stage: 'queue', error, messageId, attempt })
  return startHeartbeat({ ...ports, onFailure }, receiptHandle)
}

/** Where this cannot be set, what was set before stands: the last sign of life, or the queue's own visibility timeout. */
export async function hideMessage(
  { visibility, onFailure }: DeliveryPorts,
  { receiptHandle, messageId, attempt }: ReceivedMessage,
  seconds: number,
): Promise<void> {
  await visibility
    .hideFor(receiptHandle, seconds)
    .catch((error: unknown) => onFailure({ stage: 'queue', error, messageId, attempt }))
}

/** Throws WORK_INVALID. */
export function readItem({ messageId, body, attempt }: ReceivedMessage): WorkItem {
  const { id, kind, body: work, correlationId } = decodeWorkMessage(body)
  const item = { id: id ?? itemIdOf(messageId), kind, body: work, attempt }
  return correlationId === undefined ? item : { ...item, correlationId }
}

/** A later version may know the kind, so that this is tried again like any other failure. */
function findHandler(handlers: WorkHandlers, kind: string): WorkHandler {
  const handler = Object.hasOwn(handlers, kind) ? handlers[kind] : undefined
  if (handler !== undefined) return handler
  throw new BackstopError('WORK_INVALID', `nobody here handles work of the kind "${kind.slice(0, 100)}"`)
}
