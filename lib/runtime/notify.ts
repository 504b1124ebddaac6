/** Alerts go to the log, and to webhooks where some are configured. */
import { createDurableWorkQueue, createFileSecrets, type DurableWorkQueue } from '#lib/adapters/embedded/index.ts'
import { createWebhookNotifier, readFormedUrl, type WebhookTarget } from '#lib/adapters/webhook/index.ts'
import { SECOND_MS, sha256Hex } from '#lib/kernel/index.ts'
import type { AlertDelivery, Notifier, RecordStore } from '#lib/ports/index.ts'
import type { Log } from '#lib/product/index.ts'
import type { RuntimeConfig } from './config.ts'
import { SYSTEM } from './system.ts'

/** The secret that webhooks are signed with: `BACKSTOP_ALERT_SECRET`, or a file that `BACKSTOP_ALERT_SECRET_FILE` names. */
const ALERT_SECRET = 'BACKSTOP_ALERT_SECRET'
/** What PagerDuty knows a service by. */
const ROUTING_KEY = 'BACKSTOP_ALERT_ROUTING_KEY'

/** About two hours of trying: a receiver may be down for longer than a restart takes. */
const ATTEMPTS = 32
const LONGEST_DELAY_MS = 300 * SECOND_MS

export interface Notifying {
  readonly notifier: Notifier
  readonly queue: DurableWorkQueue
  /** Names of the targets. */
  readonly targets: readonly string[]
}

type OnDelivery = (delivery: AlertDelivery) => Promise<void>

/** Open the outbox; deliveries begin with `queue.start()`. Throws CONFIG_INVALID for an address that is no webhook. */
export function openNotifying(
  config: RuntimeConfig,
  records: RecordStore,
  log: Log,
  onDelivery: OnDelivery,
): Notifying {
  const queue = createDurableWorkQueue({
    records,
    ...SYSTEM,
    maxAttempts: ATTEMPTS,
    retryDelayMs: jitteredDelayMs,
    onFailure: ({ item, isLastAttempt }) =>
      log('error', 'work_failed', { kind: item?.kind ?? 'unknown', id: item?.id ?? 'unknown', isLastAttempt }),
  })
  const webhooks = webhooksOf(config)
  const notifier = createWebhookNotifier({
    queue,
    secrets: createFileSecrets({ environment: config.alertSecret }),
    clock: SYSTEM.clock,
    webhooks,
    log: (line) => log('warning', 'alert', line),
    onDelivery,
  })
  return { notifier, queue, targets: webhooks.map(({ name }) => name) }
}

/** Doubling from one second, up to five minutes, less up to a quarter: many that failed together do not come back together. */
function jitteredDelayMs(attempt: number): number {
  const delayMs = Math.min(SECOND_MS * 2 ** Math.min(attempt - 1, 20), LONGEST_DELAY_MS)
  return delayMs - Math.random() * (delayMs / 4)
}

/** The name is that of the address, not of its place in the list: what waits for one is never sent to another. */
function webhooksOf({ alertWebhooks, alertFormat, alertSecret }: RuntimeConfig): readonly WebhookTarget[] {
  const isGiven = (name: string) => `${name}` in alertSecret || `${name}_FILE` in alertSecret
  return alertWebhooks.map((text) => {
    const { url, form } = readFormedUrl(text, alertFormat)
    return {
      name: alertWebhooks.length === 1 ? 'alerts' : `${form}-${sha256Hex(url).slice(0, 6)}`,
      url,
      form,
      ...(form === 'generic' && isGiven(ALERT_SECRET) ? { secretName: ALERT_SECRET } : {}),
      ...(form === 'pagerduty' && isGiven(ROUTING_KEY) ? { routingKeyName: ROUTING_KEY } : {}),
    }
  })
}
