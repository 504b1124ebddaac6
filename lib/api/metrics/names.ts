/** The names of all figures: Prometheus' names, and those of the same figures in CloudWatch. */
export const METRIC_NAMES = {
  queries: 'backstop_gateway_queries_total',
  duration: 'backstop_query_duration_seconds',
  approvals: 'backstop_gateway_approvals_total',
  blocks: 'backstop_gateway_blocks_total',
  verifications: 'backstop_gateway_recovery_verifications_total',
  readiness: 'backstop_recovery_readiness_total',
  riskyAttempts: 'backstop_agent_risky_attempts_total',
  quarantines: 'backstop_agent_quarantines_total',
  alerts: 'backstop_gateway_alerts_total',
  paused: 'backstop_gateway_pause_state',
  pending: 'backstop_gateway_pending_approvals',
  snapshots: 'backstop_sync_snapshots_total',
  snapshotRows: 'backstop_sync_snapshot_rows_total',
  latestAge: 'backstop_sync_latest_snapshot_age_seconds',
  droppedTables: 'backstop_sync_dropped_tables_total',
  bypass: 'backstop_bypass_connections_total',
  posture: 'backstop_prevention_posture',
  captureHealth: 'backstop_sync_health',
  requests: 'backstop_http_requests_total',
  buildInfo: 'backstop_build_info',
} as const

export type MetricName = (typeof METRIC_NAMES)[keyof typeof METRIC_NAMES]
