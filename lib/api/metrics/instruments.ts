/** Every metric by name, with its help line and labels. */
import type { Registry } from 'prom-client'
import { Counter, Gauge, Histogram } from 'prom-client'
import { METRIC_NAMES } from './names.ts'

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
    queries: count(METRIC_NAMES.queries, 'Statements answered, by risk level and status.', 'risk', 'status'),
    duration: new Histogram({
      name: METRIC_NAMES.duration,
      help: 'Time from a statement at the gate to its answer, in seconds.',
      labelNames: ['risk', 'status'],
      buckets: DURATION_BUCKETS,
      registers: [registry],
    }),
    approvals: count(METRIC_NAMES.approvals, 'Approvals that ended, by decision.', 'decision'),
    blocks: count(METRIC_NAMES.blocks, 'Requests and statements refused, by reason.', 'reason'),
    verifications: count(METRIC_NAMES.verifications, 'Recovery points read back for a statement, by result.', 'status'),
    readiness: count(
      METRIC_NAMES.readiness,
      'Checks whether a statement could be recovered from, by result and reason.',
      'status',
      'reason',
    ),
    riskyAttempts: count(METRIC_NAMES.riskyAttempts, 'Attempts counted towards quarantine, by risk level.', 'risk'),
    quarantines: count(METRIC_NAMES.quarantines, 'Quarantines begun.'),
    alerts: count(METRIC_NAMES.alerts, 'Alerts, by event and delivery status.', 'event_type', 'status'),
    paused: gauge(registry, METRIC_NAMES.paused, '1 while the emergency pause is on, else 0.', []),
    pending: gauge(registry, METRIC_NAMES.pending, 'Approvals that wait for a decision.', []),
  }
}

export function createRecoveryInstruments(registry: Registry) {
  return {
    snapshots: counter(registry, METRIC_NAMES.snapshots, 'Recovery points taken, by result.', ['status']),
    snapshotRows: counter(registry, METRIC_NAMES.snapshotRows, 'Rows written into recovery points.', []),
    latestAge: gauge(
      registry,
      METRIC_NAMES.latestAge,
      'Age of the newest valid recovery point of a table, in seconds.',
      ['table'],
    ),
    droppedTables: counter(registry, METRIC_NAMES.droppedTables, 'Tables seen to have disappeared.', []),
    bypass: counter(
      registry,
      METRIC_NAMES.bypass,
      'Connections seen that went around the gateway, by role and application.',
      ['role', 'application'],
    ),
    posture: gauge(registry, METRIC_NAMES.posture, '1 for the posture in force, else 0.', ['status']),
    captureHealth: gauge(registry, METRIC_NAMES.captureHealth, '1 for the state of the background capture, else 0.', [
      'status',
    ]),
    verifiedPoints: counter(registry, METRIC_NAMES.verifiedPoints, 'Stored points that were read again, by result.', [
      'status',
    ]),
    verifiedBytes: counter(registry, METRIC_NAMES.verifiedBytes, 'Bytes of stored points that were read again.', []),
    retiredPoints: counter(registry, METRIC_NAMES.retiredPoints, 'Points that retention looked at, by outcome.', [
      'outcome',
    ]),
    drills: counter(registry, METRIC_NAMES.drills, 'Drills that ended, by kind and result.', ['kind', 'status']),
    drillAge: gauge(
      registry,
      METRIC_NAMES.drillAge,
      'Time since the last drill of a kind that went well, in seconds.',
      ['kind'],
    ),
  }
}

export function createServiceInstruments(registry: Registry) {
  return {
    requests: counter(registry, METRIC_NAMES.requests, 'HTTP requests answered, by route and status.', [
      'route',
      'status',
    ]),
    buildInfo: gauge(registry, METRIC_NAMES.buildInfo, 'Always 1; the labels name the running build.', [
      'version',
      'environment',
      'node',
    ]),
  }
}
