import type { AlertId, Instant, JsonObject } from '#lib/kernel/index.ts'

export type AlertSeverity = 'info' | 'warning' | 'critical'

/** What an operator is told. Carries ids and names, never SQL, row values or secrets. */
export interface Alert {
  readonly id: AlertId
  readonly severity: AlertSeverity
  /** The event's name, such as `approval_requested` or `table_drop_detected`. */
  readonly eventType: string
  readonly title: string
  readonly recommendedAction: string
  readonly environment: string
  readonly at: Instant
  readonly facts: JsonObject
  /** Alerts with the same key within the dedupe window are one. */
  readonly dedupeKey?: string
}

/** Tells operators, off the request path. */
export interface Notifier {
  /**
   * Durable when it returns; delivery follows with retries. Throws METADATA_UNREACHABLE or QUEUE_UNREACHABLE when it cannot
   * be kept.
   */
  notify(alert: Alert): Promise<void>
}

/** One place that alerts go to, such as a topic or a webhook. */
export interface AlertTarget {
  /** Shown in logs instead of the address. */
  readonly name: string
  /** Throws NOTIFICATION_FAILED. The delivery id is the same at every try, so that a receiver can tell a repetition. */
  deliver(alert: Alert, deliveryId: string): Promise<void>
}
