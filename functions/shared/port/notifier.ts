/** Alerts go to the relay's queue: the topic and the webhooks are out of reach from the database's network. */
import { createQueueNotifier } from '#lib/adapters/aws/index.ts'
import type { Notifier } from '#lib/ports/index.ts'
import { openQueues } from './queue.ts'

export function openAlertNotifier(): Notifier {
  return createQueueNotifier({ queue: openQueues('alert') })
}
