/** Every metric by name, with its help line and labels. */
import type { Registry } from 'prom-client'
import { Counter, Gauge, Histogram } from 'prom-client'

/** Seconds; the first buckets resolve the gate's own overhead, the last ones a long statement. */
const DURATION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

function counter<L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly L[],
): Counter<L> {
  return new Counter({ name, help, labelNames: [...labelNames], registers: [registry] })
}

function gauge<L extends string>(registry: Registry, name: string, help: string, labelNames: readonly L[]): Gauge<L> {
  return new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] })
}

export function createGateInstruments(registry: Registry) {
  const count = <L extends string>(name: string, help: string, ...labels: L[]) => counter(registry, name, help, labels)
  return {
    queries: count(
      'backstop_gateway_queries_total',
      'Statements answered, by risk level and status.',
      'risk',
      'status',
    ),
    duration: new Histogram({
      name: 'backstop_query_duration_seconds',
      help: 'Time from a statement at the gate to its answer, in seconds.',
      labelNames: ['risk', 'status'],
      buckets: DURATION_BUCKETS,
      registers: [registry],
    }),
    approvals: count('backstop_gateway_approvals_total', 'Approvals that ended, by decision.', 'decision'),
    blocks: count('backstop_gateway_blocks_total', 'Requests and statements refused, by reason.', 'reason'),
    verifications: count(
      'backstop_gateway_recovery_verifications_total',
      'Recovery points read back for a statement, by result.',
      'status',
    ),
    readiness: count(
      'backstop_recovery_readiness_total',
      'Checks whether a statement could be recovered from, by result and reason.',
      'status',
      'reason',
    ),
    riskyAttempts: count(
      'backstop_agent_risky_attempts_total',
      'Attempts counted towards quarantine, by risk level.',
      'risk',
    ),
    quarantines: count('backstop_agent_quarantines_total', 'Quarantines begun.'),
    alerts: count('backstop_gateway_alerts_total', 'Alerts, by event and delivery status.', 'event_type', 'status'),
    paused: gauge(registry, 'backstop_gateway_pause_state', '1 while the emergency pause is on, else 0.', []),
    pending: gauge(registry, 'backstop_gateway_pending_approvals', 'Approvals that wait for a decision.', []),
  }
}

export function createRecoveryInstruments(registry: Registry) {
  return {
    snapshots: counter(registry, 'backstop_sync_snapshots_total', 'Recovery points taken, by result.', ['status']),
    snapshotRows: counter(registry, 'backstop_sync_snapshot_rows_total', 'Rows written into recovery points.', []),
    latestAge: gauge(
      registry,
      'backstop_sync_latest_snapshot_age_seconds',
      'Age of the newest valid recovery point of a table, in seconds.',
      ['table'],
    ),
    droppedTables: counter(registry, 'backstop_sync_dropped_tables_total', 'Tables seen to have disappeared.', []),
    bypass: counter(
      registry,
      'backstop_bypass_connections_total',
      'Connections seen that went around the gateway, by role and application.',
      ['role', 'application'],
    ),
    posture: gauge(registry, 'backstop_prevention_posture', '1 for the posture in force, else 0.', ['status']),
    captureHealth: gauge(registry, 'backstop_sync_health', '1 for the state of the background capture, else 0.', [
      'status',
    ]),
  }
}

export function createServiceInstruments(registry: Registry) {
  return {
    requests: counter(registry, 'backstop_http_requests_total', 'HTTP requests answered, by route and status.', [
      'route',
      'status',
    ]),
    buildInfo: gauge(registry, 'backstop_build_info', 'Always 1; the labels name the running build.', [
      'version',
      'environment',
      'node',
    ]),
  }
}
