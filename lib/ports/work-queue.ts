import type { JsonObject } from '#lib/kernel/index.ts'

export interface WorkItem {
  readonly id: string
  readonly kind: string
  readonly body: JsonObject
  /** 1 on the first delivery. */
  readonly attempt: number
}

export interface SendOptions {
  /** Within five minutes a second item with the same kind and key is the first one again. */
  readonly dedupeKey?: string
  /** Items of one group are delivered one at a time, in the order they were sent. */
  readonly groupKey?: string
  readonly delayMs?: number
}

/** Returns normally: done. Throws: delivered again with a growing delay, and put aside after the last attempt. */
export type WorkHandler = (item: WorkItem) => Promise<void>

/** Durable work, delivered at least once: handlers must be idempotent. */
export interface WorkQueue {
  /** Durable when it returns. */
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
