/** Where a piece of work belongs in its queue: SQS's group, deduplication and delay, or why it cannot be kept there. */
import { BackstopError, sha256Hex } from '#lib/kernel/index.ts'
import type { SendOptions } from '#lib/ports/index.ts'

export interface SqsPlace {
  readonly MessageGroupId?: string
  readonly MessageDeduplicationId?: string
  readonly DelaySeconds?: number
}

const MAX_DELAY_S = 900

export function isFifoQueue(urlOrArn: string): boolean {
  return urlOrArn.endsWith('.fifo')
}

/**
 * The place of one send.
 *
 * Shapes: keys become digests: SQS takes 128 characters of ASCII, and a key may be any text
 * Throws: WORK_INVALID for what the queue cannot keep: a key on a standard queue; a delay on a FIFO queue, where SQS has one
 *         for the whole queue alone; a delay of more than 15 minutes
 */
export function planPlace(queueUrl: string, kind: string, options: SendOptions, sendId: string): SqsPlace {
  const delayMs = options.delayMs ?? 0
  if (!Number.isFinite(delayMs) || delayMs < 0) throw refused(kind, 'its delay must be 0 or more milliseconds')
  return isFifoQueue(queueUrl) ? placeInFifo(kind, options, sendId) : placeInStandard(kind, options, delayMs)
}

function placeInFifo(kind: string, { dedupeKey, groupKey, delayMs }: SendOptions, sendId: string): SqsPlace {
  if ((delayMs ?? 0) > 0) throw refused(kind, 'a FIFO queue delays no single message: use a standard queue for it')
  return {
    MessageDeduplicationId: dedupeKey === undefined ? sendId : digest('dedupe', kind, dedupeKey),
    MessageGroupId: groupKey === undefined ? sendId : digest('group', kind, groupKey),
  }
}

function placeInStandard(kind: string, { dedupeKey, groupKey }: SendOptions, delayMs: number): SqsPlace {
  if (dedupeKey !== undefined || groupKey !== undefined) {
    throw refused(kind, 'a standard queue keeps no order and sees no duplicates: use a FIFO queue for it')
  }
  const delayS = Math.ceil(delayMs / 1_000)
  if (delayS > MAX_DELAY_S) throw refused(kind, `SQS delays by ${MAX_DELAY_S} seconds at most, not by ${delayS}`)
  return delayS > 0 ? { DelaySeconds: delayS } : {}
}

function digest(purpose: string, kind: string, key: string): string {
  return sha256Hex(JSON.stringify([purpose, kind, key]))
}

function refused(kind: string, reason: string): BackstopError {
  return new BackstopError('WORK_INVALID', `work of the kind "${kind}" cannot be queued: ${reason}`, {
    details: { kind, reason },
  })
}
