/** Webhooks as targets of a relay, and the secret document that lists them. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { AlertTarget, Clock, Secrets } from '#lib/ports/index.ts'
import { buildWebhookBody } from './payload.ts'
import type { WebhookTarget } from './webhook.ts'
import { assertWebhookTarget, postWebhook } from './webhook.ts'

export interface WebhookTargetPorts {
  readonly secrets: Secrets
  readonly clock: Clock
  /** 10,000 when absent. */
  readonly timeoutMs?: number
}

const DEFAULT_TIMEOUT_MS = 10_000
const SIGNING_SECRET = 'signing_secret'

/** Throws CONFIG_INVALID for an address that is not http or https, and for a name that is used twice. */
export function createWebhookTargets(
  ports: WebhookTargetPorts,
  webhooks: readonly WebhookTarget[],
): readonly AlertTarget[] {
  const names = new Set(webhooks.map(({ name }) => name))
  if (names.size < webhooks.length) throw invalid('two webhooks have the same name')
  const timeoutMs = ports.timeoutMs ?? DEFAULT_TIMEOUT_MS
  return webhooks.map((webhook) => {
    assertWebhookTarget(webhook)
    const deliver: AlertTarget['deliver'] = (alert, deliveryId) =>
      postWebhook({ ...ports, timeoutMs }, webhook, deliveryId, buildWebhookBody(alert))
    return { name: webhook.name, deliver }
  })
}

/**
 * Read the document `{"signing_secret": "…", "webhooks": [{"name": "ops", "url": "https://…"}]}`. Without a signing secret
 * nothing is signed.
 *
 * Throws: CONFIG_INVALID, which shows nothing of the document
 */
export function decodeWebhookSettings(text: string): { webhooks: readonly WebhookTarget[]; secrets: Secrets } {
  const { signing_secret: secret, webhooks } = parse(text)
  if (secret !== undefined && (typeof secret !== 'string' || secret === '')) {
    throw invalid('its "signing_secret" must be a text')
  }
  if (!Array.isArray(webhooks)) throw invalid('it needs a list "webhooks"')
  const find = async (name: string) => (name === SIGNING_SECRET ? (secret as string | undefined) : undefined)
  return {
    webhooks: webhooks.map((entry: unknown) => readWebhook(entry, secret !== undefined)),
    secrets: { find, get: async (name) => (await find(name)) ?? missing(name) },
  }
}

function parse(text: string): { signing_secret?: unknown; webhooks?: unknown } {
  try {
    return JSON.parse(text) ?? {}
  } catch {
    throw invalid('it is not JSON')
  }
}

function readWebhook(entry: unknown, isSigned: boolean): WebhookTarget {
  const { name, url } = (entry ?? {}) as { name?: unknown; url?: unknown }
  if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name) || typeof url !== 'string') {
    throw invalid('each webhook needs a "name" of 1 to 64 letters, digits, "_", "." or "-", and a "url"')
  }
  return { name, url, ...(isSigned && { secretName: SIGNING_SECRET }) }
}

function invalid(reason: string): BackstopError {
  return new BackstopError('CONFIG_INVALID', `the settings of the webhooks cannot be used: ${reason}`)
}

function missing(name: string): never {
  throw new BackstopError('SECRET_MISSING', `the settings of the webhooks hold no secret "${name}"`)
}
