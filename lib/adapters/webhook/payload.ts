/** The signature over what a webhook receives. */
import { createHmac } from 'node:crypto'

/**
 * `v1=` and the HMAC-SHA256 of `<timestamp>.<body>` in hexadecimal.
 *
 * Units: the timestamp is epoch seconds; a receiver refuses one that is far from its own clock
 */
export function signWebhookBody(secret: string, timestampS: number, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestampS}.${body}`).digest('hex')}`
}
