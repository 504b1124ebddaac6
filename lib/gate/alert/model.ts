/** Alerts that operators are sent and can list afterwards. */
import type { AlertId, Instant, JsonObject } from '#lib/kernel/index.ts'
import type { Alert, AlertDelivery, AlertSeverity, DeliveryStatus } from '#lib/ports/index.ts'

export interface AlertInput {
  readonly severity: AlertSeverity
  readonly eventType: string
  readonly title: string
  readonly recommendedAction: string
  /** Ids, names and figures; never SQL or row values. */
  readonly facts: JsonObject
  /** Alerts of one key within five minutes are one. */
  readonly dedupeKey?: string
  /** For what begins and ends by an act: the alert of the end has the same key, and says that it resolves. */
  readonly incidentKey?: string
  readonly state?: 'resolved'
}

/** What lasts: told when it begins and when it is over, however often it is looked at. */
export interface StandingInput extends AlertInput {
  readonly dedupeKey: string
}

/** How far one target has come with an alert. */
export interface TargetDelivery {
  readonly target: string
  readonly status: DeliveryStatus
  readonly attempts: number
  readonly at: Instant
}

/** `recorded`: kept here and handed to the notifier; `failed`: the notifier would not take it, or a target cannot be reached. */
export type AlertStatus = 'recorded' | DeliveryStatus

export interface RaisedAlert {
  readonly alert: Alert
  readonly status: AlertStatus
  /** Absent where no target is configured, and until the first attempt. */
  readonly deliveries?: readonly TargetDelivery[]
}

export interface AlertPage {
  /** Newest first. */
  readonly alerts: readonly RaisedAlert[]
  readonly cursor?: string
}

/** What became of a call: `repeated` is one that was raised within the last five minutes under the same key. */
export interface Raising {
  readonly alertId: AlertId
  readonly status: 'recorded' | 'failed' | 'repeated'
}

export interface AlertDesk {
  /** Keep the alert and hand it to the notifier. Never throws: an alert that fails must not change a verdict. */
  raise(input: AlertInput): Promise<Raising>
  /** Raise what lasts, unless it stands already. Throws METADATA_UNREACHABLE. */
  begin(family: string, input: StandingInput): Promise<void>
  /** Tell that it is over, if it stands. Throws METADATA_UNREACHABLE. */
  end(family: string, dedupeKey: string): Promise<void>
  /**
   * Begin all of a family that stand now, and end those that do not any more. The caller has looked at the whole family.
   * Throws METADATA_UNREACHABLE.
   */
  settle(family: string, standing: readonly StandingInput[]): Promise<void>
  /** What stands, by key. Throws METADATA_UNREACHABLE. */
  listStanding(family: string): Promise<readonly StandingInput[]>
  list(filter: { readonly limit: number; readonly cursor?: string }): Promise<AlertPage>
  /** Write down how an attempt to deliver ended. Throws METADATA_UNREACHABLE. */
  noteDelivery(delivery: AlertDelivery): Promise<void>
}
