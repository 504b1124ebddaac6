/** Webhooks as targets of a relay, and the secret document that lists them. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { AlertTarget, Clock, Secrets } from '#lib/ports/index.ts'
import { readFormedUrl, takesAlert, WEBHOOK_FORMS, type WebhookForm } from './form.ts'
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
      postWebhook({ ...ports, timeoutMs }, webhook, deliveryId, alert)
    return { name: webhook.name, takes: (alert) => takesAlert(webhook.form ?? 'generic', alert), deliver }
  })
}

/**
 * Read the document `{"signing_secret": "…", "webhooks": [{"name": "ops", "url": "https://…", "form": "slack"}]}`. Without a
 * signing secret nothing is signed; without a form the address decides. A webhook of PagerDuty has a `routing_key`.
 *
 * Throws: CONFIG_INVALID, which shows nothing of the document
 */
export function decodeWebhookSettings(text: string): { webhooks: readonly WebhookTarget[]; secrets: Secrets } {
  const { signing_secret: secret, webhooks } = parse(text)
  if (secret !== undefined && (typeof secret !== 'string' || secret === '')) {
    throw invalid('its "signing_secret" must be a text')
  }
  if (!Array.isArray(webhooks)) throw invalid('it needs a list "webhooks"')
  const keys = new Map<string, string>(secret === undefined ? [] : [[SIGNING_SECRET, secret as string]])
  const find = async (name: string) => keys.get(name)
  return {
    webhooks: webhooks.map((entry: unknown) => readWebhook(entry, secret !== undefined, keys)),
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

interface WrittenWebhook {
  readonly name?: unknown
  readonly url?: unknown
  readonly form?: unknown
  readonly routing_key?: unknown
}

function readWebhook(entry: unknown, isSigned: boolean, keys: Map<string, string>): WebhookTarget {
  const { name, url: address, form: said, routing_key: key } = (entry ?? {}) as WrittenWebhook
  if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name) || typeof address !== 'string') {
    throw invalid('each webhook needs a "name" of 1 to 64 letters, digits, "_", "." or "-", and a "url"')
  }
  if (said !== undefined && !WEBHOOK_FORMS.includes(said as WebhookForm)) {
    throw invalid(`a "form" is one of ${WEBHOOK_FORMS.join(', ')}`)
  }
  if (key !== undefined && (typeof key !== 'string' || key === '')) throw invalid('a "routing_key" must be a text')
  const { url, form } = readFormedUrl(address, said as WebhookForm | undefined)
  const routingKeyName = `routing_key.${name}`
  if (key !== undefined) keys.set(routingKeyName, key)
  return {
    name,
    url,
    ...(form !== 'generic' && { form }),
    ...(isSigned && form === 'generic' && { secretName: SIGNING_SECRET }),
    ...(key !== undefined && { routingKeyName }),
  }
}

function invalid(reason: string): BackstopError {
  return new BackstopError('CONFIG_INVALID', `the settings of the webhooks cannot be used: ${reason}`)
}

function missing(name: string): never {
  throw new BackstopError('SECRET_MISSING', `the settings of the webhooks hold no secret "${name}"`)
}
