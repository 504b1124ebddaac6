/** One POST to one configured address, and nowhere else: redirects are failures. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { Alert, Clock, Secrets } from '#lib/ports/index.ts'
import { buildWebhookBody, type WebhookForm } from './form.ts'
import { signWebhookBody } from './payload.ts'

export interface WebhookTarget {
  /** Shown in logs instead of the address, which may hold a secret path. */
  readonly name: string
  readonly url: string
  /** Absent: generic. */
  readonly form?: WebhookForm
  /** Absent: not signed, for receivers that cannot check it. */
  readonly secretName?: string
  /** Of the secret that holds PagerDuty's routing key. */
  readonly routingKeyName?: string
}

export interface WebhookPorts {
  readonly secrets: Secrets
  readonly clock: Clock
  readonly timeoutMs: number
}

/** Throws CONFIG_INVALID unless it is a plain http or https address, and for PagerDuty without a routing key. */
export function assertWebhookTarget({ name, url, form, routingKeyName }: WebhookTarget): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isWeb = parsed?.protocol === 'https:' || parsed?.protocol === 'http:'
  if (!isWeb || parsed.username !== '' || parsed.password !== '') {
    throw new BackstopError(
      'CONFIG_INVALID',
      `the webhook ${name} needs an http or https address without user and password`,
    )
  }
  if (form === 'pagerduty' && routingKeyName === undefined) {
    throw new BackstopError('CONFIG_INVALID', `the webhook ${name} speaks with PagerDuty, and has no routing key`)
  }
}

/** Throws NOTIFICATION_FAILED with `httpStatus` and `retryAfterSeconds` where the receiver said so, SECRET_MISSING. */
export async function postWebhook(
  ports: WebhookPorts,
  target: WebhookTarget,
  deliveryId: string,
  alert: Alert,
): Promise<void> {
  const { secrets, clock, timeoutMs } = ports
  const secretOf = async (name: string | undefined) => (name === undefined ? undefined : await secrets.get(name))
  const body = buildWebhookBody(target.form ?? 'generic', alert, await secretOf(target.routingKeyName))
  const timestampS = Math.floor(clock.nowMs() / 1_000)
  const secret = await secretOf(target.secretName)
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'backstop',
    'x-backstop-delivery': deliveryId,
    'x-backstop-timestamp': String(timestampS),
  }
  if (secret !== undefined) headers['x-backstop-signature'] = signWebhookBody(secret, timestampS, body)
  const { status, retryAfter } = await post(target, headers, body, timeoutMs)
  if (status >= 200 && status <= 299) return
  const waitS = retryAfterSeconds(retryAfter, clock.nowMs())
  throw failed(target, `it answered with status ${status}`, {
    httpStatus: status,
    ...(waitS === undefined ? {} : { retryAfterSeconds: waitS }),
  })
}

/** Seconds, or the date that is meant; undefined for anything else. */
export function retryAfterSeconds(text: string | null, nowMs: number): number | undefined {
  if (text === null) return undefined
  if (/^\d{1,9}$/.test(text.trim())) return Number(text)
  const atMs = Date.parse(text)
  return Number.isNaN(atMs) ? undefined : Math.max(0, Math.ceil((atMs - nowMs) / 1_000))
}

async function post(target: WebhookTarget, headers: Record<string, string>, body: string, timeoutMs: number) {
  try {
    const signal = AbortSignal.timeout(timeoutMs)
    const response = await fetch(target.url, { method: 'POST', headers, body, redirect: 'manual', signal })
    await response.body?.cancel()
    return { status: response.status, retryAfter: response.headers.get('retry-after') }
  } catch (error) {
    throw failed(
      target,
      (error as Error).name === 'TimeoutError' ? 'it did not answer in time' : 'it cannot be reached',
    )
  }
}

function failed(target: WebhookTarget, reason: string, details: Record<string, number> = {}): BackstopError {
  return new BackstopError('NOTIFICATION_FAILED', `the webhook ${target.name} failed: ${reason}`, {
    details: { webhook: target.name, reason, ...details },
  })
}
