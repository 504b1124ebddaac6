/** Alerts to webhooks through the work queue, which makes them durable and tries again, and to a structured log at once. */
import type { JsonObject } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type {
  Alert,
  AlertDelivery,
  Clock,
  Notifier,
  Secrets,
  WorkConsumer,
  WorkItem,
  WorkQueue,
} from '#lib/ports/index.ts'
import { deliveryStatusOf } from '#lib/ports/index.ts'
import { takesAlert } from './form.ts'
import type { WebhookTarget } from './webhook.ts'
import { assertWebhookTarget, postWebhook } from './webhook.ts'

export interface WebhookNotifierOptions {
  readonly queue: WorkQueue & WorkConsumer
  readonly secrets: Secrets
  readonly clock: Clock
  readonly webhooks: readonly WebhookTarget[]
  /** Takes every alert at once, repeated ones too, also where there is no webhook. */
  readonly log: (line: JsonObject) => void
  /** Told of every attempt. What it throws changes nothing. */
  readonly onDelivery?: (delivery: AlertDelivery) => Promise<void>
  /** 10,000 when absent. */
  readonly timeoutMs?: number
}

const WORK_KIND = 'notify'
const DEFAULT_TIMEOUT_MS = 10_000

/** Throws CONFIG_INVALID for an address that is not http or https, and for a name that is used twice. */
export function createWebhookNotifier(options: WebhookNotifierOptions): Notifier {
  const { webhooks, queue } = options
  for (const webhook of webhooks) assertWebhookTarget(webhook)
  const ports = { ...options, timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS }
  const takers = (alert: Alert) => webhooks.filter(({ form }) => takesAlert(form ?? 'generic', alert))
  const tell = async (alert: Alert, { name }: WebhookTarget, status: AlertDelivery['status']) => {
    const targetCount = Math.max(1, takers(alert).length)
    await options.onDelivery?.({ alert, target: name, targetCount, status }).catch(() => undefined)
  }
  queue.handle(WORK_KIND, async (item) => {
    const { target, alert } = readDelivery(webhooks, item)
    try {
      await postWebhook(ports, target, item.id, alert)
    } catch (error) {
      await tell(alert, target, deliveryStatusOf(error))
      throw error
    }
    await tell(alert, target, 'sent')
  })
  return {
    async notify(alert) {
      options.log(buildLogLine(alert))
      for (const { name } of takers(alert)) {
        const dedupeKey = JSON.stringify([name, alert.dedupeKey ?? alert.id])
        await queue.send(WORK_KIND, { webhook: name, alert: alert as unknown as JsonObject }, { dedupeKey })
      }
    },
  }
}

/** An alert outlives a restart; the webhook it was meant for may be gone by then. */
function readDelivery(webhooks: readonly WebhookTarget[], item: WorkItem): { target: WebhookTarget; alert: Alert } {
  const { webhook, alert } = item.body as unknown as { webhook: string; alert: Alert }
  const target = webhooks.find(({ name }) => name === webhook)
  if (target === undefined)
    throw new BackstopError('CONFIG_INVALID', `the webhook ${webhook} is not configured any more`)
  return { target, alert }
}

function buildLogLine(alert: Alert): JsonObject {
  const { id, severity, eventType, title, recommendedAction, environment, at, facts, state } = alert
  const shown = { event: 'alert', id, severity, eventType, title, recommendedAction, environment, at, facts }
  return state === undefined ? shown : { ...shown, state }
}
