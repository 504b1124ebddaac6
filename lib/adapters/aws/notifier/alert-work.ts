/** An alert as work for the relay, and back; bounded, so that every way it may take can carry it. */
import type { JsonObject } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { Alert, AlertSeverity } from '#lib/ports/index.ts'

/** The kind of work that carries an alert. */
export const ALERT_WORK = 'alert'

const MAX_TEXT = 1_000
const MAX_FACTS_BYTES = 32_768
const SEVERITIES: readonly AlertSeverity[] = ['info', 'warning', 'critical']
const TEXTS = ['id', 'eventType', 'title', 'recommendedAction', 'environment', 'at'] as const

/** Long texts are cut; facts that are too many are left out, and said to be. */
export function boundAlert(alert: Alert): Alert {
  const sizeBytes = Buffer.byteLength(JSON.stringify(alert.facts))
  const facts = sizeBytes <= MAX_FACTS_BYTES ? alert.facts : { facts_omitted: true, facts_size_bytes: sizeBytes }
  return { ...alert, title: cut(alert.title), recommendedAction: cut(alert.recommendedAction), facts }
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1).toWellFormed()}…`
}

export function encodeAlertWork(alert: Alert): JsonObject {
  return { alert: boundAlert(alert) as unknown as JsonObject }
}

/** Throws WORK_INVALID. */
export function decodeAlertWork(body: JsonObject): Alert {
  const alert = body['alert']
  if (typeof alert !== 'object' || alert === null || Array.isArray(alert)) throw malformed('it holds no alert')
  const found = alert as JsonObject
  for (const name of TEXTS) if (typeof found[name] !== 'string') throw malformed(`the alert's "${name}" is no text`)
  if (!SEVERITIES.includes(found['severity'] as AlertSeverity)) throw malformed("the alert's severity is unknown")
  const facts = found['facts']
  if (typeof facts !== 'object' || facts === null || Array.isArray(facts)) throw malformed('the alert has no facts')
  return found as unknown as Alert
}

function malformed(reason: string): BackstopError {
  return new BackstopError('WORK_INVALID', `the work for the relay cannot be used: ${reason}`, { details: { reason } })
}
