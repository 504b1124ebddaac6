/** Alerts to the relay's queue: durable at once, from where neither topic nor webhook can be reached. */
import type { Notifier, WorkQueue } from '#lib/ports/index.ts'
import { ALERT_WORK, encodeAlertWork } from './alert-work.ts'

export interface QueueNotifierOptions {
  /** Its queue for the kind "alert" is a FIFO queue: that is what keeps alerts with one dedupe key one. */
  readonly queue: WorkQueue
}

/** Throws QUEUE_UNREACHABLE. */
export function createQueueNotifier({ queue }: QueueNotifierOptions): Notifier {
  return {
    async notify(alert) {
      await queue.send(ALERT_WORK, encodeAlertWork(alert), { dedupeKey: alert.dedupeKey ?? alert.id })
    },
  }
}
