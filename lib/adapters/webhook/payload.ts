/** What a webhook receives: the alert's document, and the signature over it. */
import { createHmac } from 'node:crypto'
import type { Alert } from '#lib/ports/index.ts'
import { buildAlertDocument } from '#lib/ports/index.ts'

export function buildWebhookBody(alert: Alert): string {
  return JSON.stringify(buildAlertDocument(alert))
}

/**
 * `v1=` and the HMAC-SHA256 of `<timestamp>.<body>` in hexadecimal.
 *
 * Units: the timestamp is epoch seconds; a receiver refuses one that is far from its own clock
 */
export function signWebhookBody(secret: string, timestampS: number, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestampS}.${body}`).digest('hex')}`
}
