/** The product's own figures that alarms and the dashboard read: namespace, names and dimensions as functions write them. */
import { METRIC_NAMES } from '#lib/api/index.ts'

const NAMESPACE = 'Backstop'

type Figure = {
  readonly namespace: string
  readonly name: string
  readonly dimensions: Readonly<Record<string, string>>
}

function figure(environment: string, name: string, labels: Readonly<Record<string, string>> = {}): Figure {
  return { namespace: NAMESPACE, name, dimensions: { environment, ...labels } }
}

export function figuresOf(environment: string) {
  return {
    healthyCaptures: figure(environment, METRIC_NAMES.captureHealth, { status: 'healthy' }),
    snapshotAgeSeconds: figure(environment, METRIC_NAMES.latestAge),
    statements: figure(environment, METRIC_NAMES.queries),
    criticalStatements: figure(environment, METRIC_NAMES.queries, { risk: 'CRITICAL' }),
    failedDrills: figure(environment, METRIC_NAMES.alerts, { event_type: 'drill_failed' }),
    brokenLedgers: figure(environment, METRIC_NAMES.alerts, { event_type: 'audit_broken' }),
    bypassConnections: figure(environment, METRIC_NAMES.bypass),
    blocks: figure(environment, METRIC_NAMES.blocks),
    pendingApprovals: figure(environment, METRIC_NAMES.pending),
    durationSeconds: figure(environment, METRIC_NAMES.duration),
    failedCaptures: figure(environment, METRIC_NAMES.snapshots, { status: 'failed' }),
  } as const
}
