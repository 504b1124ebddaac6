import { type AlertId, type Instant, isBackstopError, type JsonObject } from '#lib/kernel/index.ts'

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
  /** What it tells of lasts: the alert that says that it is over has the same key. */
  readonly incidentKey?: string
  /** Absent: it begins, or it happened. */
  readonly state?: 'resolved'
}

/** How a delivery ended: the receiver has it, cannot be reached, or answered with a status that is no success. */
export type DeliveryStatus = 'sent' | 'failed' | `failed_http_${number}`

/** One attempt to bring an alert to one target. */
export interface AlertDelivery {
  readonly alert: Pick<Alert, 'id' | 'at' | 'eventType'>
  /** The target's name, never its address. */
  readonly target: string
  /** How many targets are to have this alert. */
  readonly targetCount: number
  readonly status: DeliveryStatus
}

/** The status that a failed delivery stands for; the adapters put the receiver's answer into the error's details. */
export function deliveryStatusOf(error: unknown): DeliveryStatus {
  const status = isBackstopError(error, 'NOTIFICATION_FAILED') ? error.details['httpStatus'] : undefined
  return typeof status === 'number' ? `failed_http_${status}` : 'failed'
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
  /** Absent: it takes every alert. */
  takes?(alert: Alert): boolean
  /** Throws NOTIFICATION_FAILED. The delivery id is the same at every try, so that a receiver can tell a repetition. */
  deliver(alert: Alert, deliveryId: string): Promise<void>
}
