/**
 * An alert as an event of PagerDuty's Events API, version 2: what begins triggers an incident, what is over resolves it.
 *
 * Source: PagerDuty developer documentation, "Events API V2", "Send an Alert Event"
 */
import type { JsonObject } from '#lib/kernel/index.ts'
import { sha256Hex } from '#lib/kernel/index.ts'
import type { Alert } from '#lib/ports/index.ts'

const MAX_SUMMARY = 1_024
const MAX_KEY = 255

export function buildPagerDutyEvent(alert: Alert, routingKey: string): JsonObject {
  const common = { routing_key: routingKey, dedup_key: dedupKeyOf(alert) }
  if (alert.state === 'resolved') return { ...common, event_action: 'resolve' }
  return {
    ...common,
    event_action: 'trigger',
    client: 'Backstop',
    payload: {
      summary: summaryOf(alert),
      source: `backstop/${alert.environment}`,
      severity: alert.severity,
      timestamp: alert.at,
      component: typeof alert.facts['table'] === 'string' ? alert.facts['table'] : 'gateway',
      group: alert.environment,
      class: alert.eventType,
      custom_details: {
        alert_id: alert.id,
        event_type: alert.eventType,
        recommended_action: alert.recommendedAction,
        ...alert.facts,
      },
    },
  }
}

/** The same for an alert and for the one that says that it is over; two environments never share one. */
function dedupKeyOf(alert: Alert): string {
  const key = `${alert.environment}/${alert.incidentKey ?? alert.dedupeKey ?? alert.id}`
  return key.length <= MAX_KEY ? key : `${alert.environment.slice(0, 100)}/${sha256Hex(key)}`
}

function summaryOf({ environment, title }: Alert): string {
  return `[${environment}] ${title}`.slice(0, MAX_SUMMARY).toWellFormed()
}
