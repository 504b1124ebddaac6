/** The forms that receivers want an alert in, and which alerts each of them is sent. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { Alert } from '#lib/ports/index.ts'
import { buildAlertDocument } from '#lib/ports/index.ts'
import { buildPagerDutyEvent } from './pagerduty.ts'
import { buildSlackMessage } from './slack.ts'

export const WEBHOOK_FORMS = ['generic', 'slack', 'pagerduty'] as const
export type WebhookForm = (typeof WEBHOOK_FORMS)[number]

const KNOWN_HOSTS: readonly (readonly [pattern: RegExp, form: WebhookForm])[] = [
  [/(^|\.)slack(-gov)?\.com$/, 'slack'],
  [/(^|\.)pagerduty\.com$/, 'pagerduty'],
]
const PREFIX = /^(generic|slack|pagerduty)\+(https?:.*)$/i

export interface FormedUrl {
  readonly url: string
  readonly form: WebhookForm
}

/**
 * The address and the form of what was configured: `slack+https://…` says it, else `preset` does, else the host is known, else
 * the form is generic. Pure.
 */
export function readFormedUrl(text: string, preset?: WebhookForm): FormedUrl {
  const match = PREFIX.exec(text)
  const url = match?.[2] ?? text
  const said = match?.[1]?.toLowerCase() as WebhookForm | undefined
  const host = URL.canParse(url) ? new URL(url).hostname : ''
  const known = KNOWN_HOSTS.find(([pattern]) => pattern.test(host))?.[1]
  return { url, form: said ?? preset ?? known ?? 'generic' }
}

/** A pager is for what somebody has to do something about; the seals of the ledger are for programs alone. */
export function takesAlert(form: WebhookForm, alert: Alert): boolean {
  if (form === 'generic') return true
  if (alert.eventType === 'audit_anchor') return false
  return form === 'slack' || alert.severity !== 'info' || alert.state === 'resolved'
}

/** The body of one POST. `routingKey` is PagerDuty's alone. */
export function buildWebhookBody(form: WebhookForm, alert: Alert, routingKey?: string): string {
  if (form === 'slack') return JSON.stringify(buildSlackMessage(alert))
  if (form === 'generic') return JSON.stringify(buildAlertDocument(alert))
  if (routingKey === undefined) {
    throw new BackstopError('SECRET_MISSING', 'PagerDuty takes events with a routing key alone: none is set')
  }
  return JSON.stringify(buildPagerDutyEvent(alert, routingKey))
}
