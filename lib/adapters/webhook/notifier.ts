/** Alerts to webhooks through the work queue, which makes them durable and tries again, and to a structured log at once. */
import type { JsonObject } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { Alert, Clock, Notifier, Secrets, WorkConsumer, WorkItem, WorkQueue } from '#lib/ports/index.ts'
import { buildWebhookBody } from './payload.ts'
import type { WebhookTarget } from './webhook.ts'
import { assertWebhookTarget, postWebhook } from './webhook.ts'

export interface WebhookNotifierOptions {
  readonly queue: WorkQueue & WorkConsumer
  readonly secrets: Secrets
  readonly clock: Clock
  readonly webhooks: readonly WebhookTarget[]
  /** Takes every alert at once, repeated ones too, also where there is no webhook. */
  readonly log: (line: JsonObject) => void
  /** 10,000 when absent. */
  readonly timeoutMs?: number
}

const WORK_KIND = 'notify'
const DEFAULT_TIMEOUT_MS = 10_000

/** Throws CONFIG_INVALID for an address that is not http or https. */
export function createWebhookNotifier(options: WebhookNotifierOptions): Notifier {
  for (const webhook of options.webhooks) assertWebhookTarget(webhook)
  const ports = { ...options, timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS }
  options.queue.handle(WORK_KIND, async (item) => {
    const { target, body } = readDelivery(options.webhooks, item)
    await postWebhook(ports, target, item.id, body)
  })
  return {
    async notify(alert) {
      options.log(buildLogLine(alert))
      for (const { name } of options.webhooks) {
        const dedupeKey = JSON.stringify([name, alert.dedupeKey ?? alert.id])
        await options.queue.send(WORK_KIND, { webhook: name, body: buildWebhookBody(alert) }, { dedupeKey })
      }
    },
  }
}

/** An alert outlives a restart; the webhook it was meant for may be gone by then. */
function readDelivery(webhooks: readonly WebhookTarget[], item: WorkItem): { target: WebhookTarget; body: string } {
  const { webhook, body } = item.body as { webhook: string; body: string }
  const target = webhooks.find(({ name }) => name === webhook)
  if (target === undefined)
    throw new BackstopError('CONFIG_INVALID', `the webhook ${webhook} is not configured any more`)
  return { target, body }
}

function buildLogLine(alert: Alert): JsonObject {
  const { id, severity, eventType, title, recommendedAction, environment, at, facts } = alert
  return { event: 'alert', id, severity, eventType, title, recommendedAction, environment, at, facts }
}
