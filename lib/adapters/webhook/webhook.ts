/** One POST to one configured address, and nowhere else: redirects are failures. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { Clock, Secrets } from '#lib/ports/index.ts'
import { signWebhookBody } from './payload.ts'

export interface WebhookTarget {
  /** Shown in logs instead of the address, which may hold a secret path. */
  readonly name: string
  readonly url: string
  /** Absent: not signed, for receivers that cannot check it. */
  readonly secretName?: string
}

export interface WebhookPorts {
  readonly secrets: Secrets
  readonly clock: Clock
  readonly timeoutMs: number
}

/** Throws CONFIG_INVALID unless it is a plain http or https address. */
export function assertWebhookTarget({ name, url }: WebhookTarget): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isWeb = parsed?.protocol === 'https:' || parsed?.protocol === 'http:'
  if (isWeb && parsed.username === '' && parsed.password === '') return
  throw new BackstopError(
    'CONFIG_INVALID',
    `the webhook ${name} needs an http or https address without user and password`,
  )
}

/** Throws NOTIFICATION_FAILED, SECRET_MISSING. */
export async function postWebhook(
  ports: WebhookPorts,
  target: WebhookTarget,
  deliveryId: string,
  body: string,
): Promise<void> {
  const timestampS = Math.floor(ports.clock.nowMs() / 1_000)
  const secret = target.secretName === undefined ? undefined : await ports.secrets.get(target.secretName)
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'backstop',
    'x-backstop-delivery': deliveryId,
    'x-backstop-timestamp': String(timestampS),
  }
  if (secret !== undefined) headers['x-backstop-signature'] = signWebhookBody(secret, timestampS, body)
  const status = await post(target, headers, body, ports.timeoutMs)
  if (status < 200 || status > 299) throw failed(target, `it answered with status ${status}`)
}

async function post(
  target: WebhookTarget,
  headers: Record<string, string>,
  body: string,
  timeoutMs: number,
): Promise<number> {
  try {
    const signal = AbortSignal.timeout(timeoutMs)
    const response = await fetch(target.url, { method: 'POST', headers, body, redirect: 'manual', signal })
    await response.body?.cancel()
    return response.status
  } catch (error) {
    throw failed(
      target,
      (error as Error).name === 'TimeoutError' ? 'it did not answer in time' : 'it cannot be reached',
    )
  }
}

function failed(target: WebhookTarget, reason: string): BackstopError {
  return new BackstopError('NOTIFICATION_FAILED', `the webhook ${target.name} failed: ${reason}`, {
    details: { webhook: target.name, reason },
  })
}
