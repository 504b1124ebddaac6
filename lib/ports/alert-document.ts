/** An alert as the JSON document that every receiver gets, whatever way it takes. */
import type { JsonObject } from '#lib/kernel/index.ts'
import type { Alert } from './notifier.ts'

/** `text` is what chat programs show; the other fields are for programs. */
export function buildAlertDocument(alert: Alert): JsonObject {
  return {
    text: `[${alert.environment}] ${alert.severity.toUpperCase()}: ${alert.title}. ${alert.recommendedAction}`,
    id: alert.id,
    severity: alert.severity,
    event_type: alert.eventType,
    title: alert.title,
    recommended_action: alert.recommendedAction,
    environment: alert.environment,
    at: alert.at,
    facts: alert.facts,
    state: alert.state ?? 'raised',
    incident_key: alert.incidentKey ?? alert.dedupeKey ?? null,
  }
}
