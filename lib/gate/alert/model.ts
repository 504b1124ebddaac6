/** Alerts that operators are sent and can list afterwards. */
import type { JsonObject } from '#lib/kernel/index.ts'
import type { Alert, AlertSeverity } from '#lib/ports/index.ts'

export interface AlertInput {
  readonly severity: AlertSeverity
  readonly eventType: string
  readonly title: string
  readonly recommendedAction: string
  /** Ids, names and figures; never SQL or row values. */
  readonly facts: JsonObject
  readonly dedupeKey?: string
}

export interface RaisedAlert {
  readonly alert: Alert
  /** `recorded`: kept here and handed to the notifier; `failed`: the notifier would not take it. */
  readonly status: 'recorded' | 'failed'
}

export interface AlertPage {
  /** Newest first. */
  readonly alerts: readonly RaisedAlert[]
  readonly cursor?: string
}

export interface AlertDesk {
  /** Keep the alert and hand it to the notifier. Never throws: an alert that fails must not change a verdict. */
  raise(input: AlertInput): Promise<void>
  list(filter: { readonly limit: number; readonly cursor?: string }): Promise<AlertPage>
}
