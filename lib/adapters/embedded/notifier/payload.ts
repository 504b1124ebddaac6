/** An alert as the JSON document that a webhook receives, and the signature over it. */
import { createHmac } from 'node:crypto'
import type { Alert } from '#lib/ports/index.ts'

/** `text` is what Slack and its like show; the other fields are for programs. */
export function buildWebhookBody(alert: Alert): string {
  return JSON.stringify({
    text: `[${alert.environment}] ${alert.severity.toUpperCase()}: ${alert.title}. ${alert.recommendedAction}`,
    id: alert.id,
    severity: alert.severity,
    event_type: alert.eventType,
    title: alert.title,
    recommended_action: alert.recommendedAction,
    environment: alert.environment,
    at: alert.at,
    facts: alert.facts,
  })
}

/**
 * `v1=` and the HMAC-SHA256 of `<timestamp>.<body>` in hexadecimal.
 *
 * Units: the timestamp is epoch seconds; a receiver refuses one that is far from its own clock
 */
export function signWebhookBody(secret: string, timestampS: number, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestampS}.${body}`).digest('hex')}`
}
