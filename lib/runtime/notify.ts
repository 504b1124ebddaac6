/** Alerts go to the log, and to a webhook where one is configured. */
import { createDurableWorkQueue, createFileSecrets, type DurableWorkQueue } from '#lib/adapters/embedded/index.ts'
import { createWebhookNotifier } from '#lib/adapters/webhook/index.ts'
import type { Notifier, RecordStore } from '#lib/ports/index.ts'
import type { Log } from '#lib/product/index.ts'
import type { RuntimeConfig } from './config.ts'
import { SYSTEM } from './system.ts'

/** The secret that webhooks are signed with: `BACKSTOP_ALERT_SECRET`, or a file that `BACKSTOP_ALERT_SECRET_FILE` names. */
export const ALERT_SECRET = 'BACKSTOP_ALERT_SECRET'

export interface Notifying {
  readonly notifier: Notifier
  readonly queue: DurableWorkQueue
}

/** Open the outbox; deliveries begin with `queue.start()`. Throws CONFIG_INVALID for an address that is no webhook. */
export function openNotifying(config: RuntimeConfig, records: RecordStore, log: Log): Notifying {
  const queue = createDurableWorkQueue({
    records,
    ...SYSTEM,
    onFailure: ({ item, isLastAttempt }) =>
      log('error', 'work_failed', { kind: item?.kind ?? 'unknown', id: item?.id ?? 'unknown', isLastAttempt }),
  })
  const { alertWebhook } = config
  const notifier = createWebhookNotifier({
    queue,
    secrets: createFileSecrets({ environment: config.alertSecret }),
    clock: SYSTEM.clock,
    webhooks: alertWebhook === undefined ? [] : [{ name: 'alerts', url: alertWebhook, ...signing(config) }],
    log: (line) => log('warning', 'alert', line),
  })
  return { notifier, queue }
}

function signing(config: RuntimeConfig): { readonly secretName?: string } {
  return Object.keys(config.alertSecret).length === 0 ? {} : { secretName: ALERT_SECRET }
}
