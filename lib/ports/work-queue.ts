import { isBackstopError, type JsonObject, SECOND_MS } from '#lib/kernel/index.ts'

export interface WorkItem {
  readonly id: string
  readonly kind: string
  readonly body: JsonObject
  /** 1 on the first delivery. */
  readonly attempt: number
  /** Of the request that the work came from, for logs and the ledger. */
  readonly correlationId?: string
}

export interface SendOptions {
  /** Within five minutes a second item with the same kind and key is the first one again. */
  readonly dedupeKey?: string
  /** Items of one group are delivered one at a time, in the order they were sent. */
  readonly groupKey?: string
  readonly delayMs?: number
  readonly correlationId?: string
}

/**
 * Returns normally: done. Throws: delivered again with a growing delay, and put aside after the last attempt. An error whose
 * details have `retryAfterSeconds` is tried again no sooner than that, up to a quarter of an hour.
 */
export type WorkHandler = (item: WorkItem) => Promise<void>

/**
 * Durable work, delivered at least once: handlers must be idempotent. Every delivery of an item has its one id.
 *
 * Errors: METADATA_UNREACHABLE or QUEUE_UNREACHABLE when it cannot be kept; WORK_INVALID for an option that this queue cannot
 * keep, WORK_TOO_LARGE.
 */
export interface WorkQueue {
  /** Durable when it returns. Returns the item's id. */
  send(kind: string, body: JsonObject, options?: SendOptions): Promise<string>
}

/** The receiving side, where the runtime itself pulls (on AWS the platform does). */
export interface WorkConsumer {
  handle(kind: string, handler: WorkHandler): void
  start(): void
  /** Stops taking items and waits for those in hand. */
  stop(): Promise<void>
  /** Items whose attempts ran out, oldest first. */
  listDead(): Promise<readonly WorkItem[]>
}

const LONGEST_ASKED_MS = 15 * 60 * SECOND_MS

/** The wait before the next attempt: what the queue would do, or longer where the error asks for it. */
export function retryDelayAfter(error: unknown, delayMs: number): number {
  const asked = isBackstopError(error) ? error.details['retryAfterSeconds'] : undefined
  return typeof asked === 'number' ? Math.max(delayMs, Math.min(asked * SECOND_MS, LONGEST_ASKED_MS)) : delayMs
}
