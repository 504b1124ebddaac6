/** Alerts as `GET /metadata/alerts` shows them. */

export interface ShownDelivery {
  readonly target: string
  readonly status: string
  readonly attempts: number
  readonly timestamp: string
}

export interface ShownAlert {
  readonly id: string
  readonly timestamp: string
  readonly severity: 'info' | 'warning' | 'critical'
  readonly event_type: string
  readonly state: 'raised' | 'resolved'
  readonly title: string
  readonly status: string
  readonly deliveries: readonly ShownDelivery[]
}
