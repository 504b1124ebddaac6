/** The recorders over a Prometheus registry of their own. */
import process from 'node:process'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { createGateInstruments, createRecoveryInstruments, createServiceInstruments } from './instruments.ts'
import { createLabelFilter } from './label.ts'
import type { CaptureHealth, GateMetrics, HttpMetrics, Metrics, ProtectionPosture, RecoveryMetrics } from './model.ts'

export interface MetricsOptions {
  readonly version: string
  readonly environment: string
  /** Memory, garbage collection and event loop of this process as well. */
  readonly hasProcessMetrics: boolean
}

const POSTURES: readonly ProtectionPosture[] = ['healthy', 'degraded', 'recovery_only']
const CAPTURE_STATES: readonly CaptureHealth[] = ['starting', 'healthy', 'degraded', 'paused', 'unhealthy']
const MAX_REASONS = 60
const MAX_TABLES = 500
const MAX_ROLES = 50
const MS_PER_S = 1_000

function createGateRecorders(registry: Registry): GateMetrics {
  const metrics = createGateInstruments(registry)
  const reasonLabel = createLabelFilter(MAX_REASONS)
  const eventLabel = createLabelFilter(MAX_REASONS)
  const deliveryLabel = createLabelFilter(MAX_REASONS)
  return {
    noteQuery({ riskLevel, status, durationMs }) {
      const labels = { risk: riskLevel, status }
      metrics.queries.inc(labels)
      metrics.duration.observe(labels, durationMs / MS_PER_S)
    },
    noteApproval: (decision) => metrics.approvals.inc({ decision }),
    noteBlock: (reason) => metrics.blocks.inc({ reason: reasonLabel(reason) }),
    noteRecoveryVerification: (status) => metrics.verifications.inc({ status }),
    noteReadiness: (isReady, reason) => metrics.readiness.inc({ status: isReady ? 'ready' : 'not_ready', reason }),
    noteRiskyAttempt: (risk) => metrics.riskyAttempts.inc({ risk }),
    noteQuarantine: () => metrics.quarantines.inc(),
    noteAlert: (eventType, status) =>
      metrics.alerts.inc({ event_type: eventLabel(eventType), status: deliveryLabel(status) }),
    setPaused: (isPaused) => metrics.paused.set(isPaused ? 1 : 0),
    setPendingApprovals: (count) => metrics.pending.set(count),
  }
}

function createRecoveryRecorders(registry: Registry): RecoveryMetrics {
  const metrics = createRecoveryInstruments(registry)
  const tableLabel = createLabelFilter(MAX_TABLES)
  const roleLabel = createLabelFilter(MAX_ROLES)
  const applicationLabel = createLabelFilter(MAX_ROLES)
  const kindLabel = createLabelFilter(MAX_ROLES)
  return {
    noteSnapshot(status, rowCount) {
      metrics.snapshots.inc({ status })
      metrics.snapshotRows.inc(rowCount)
    },
    setLatestSnapshotAge: (table, ageSeconds) => metrics.latestAge.set({ table: tableLabel(table) }, ageSeconds),
    noteDroppedTable: () => metrics.droppedTables.inc(),
    noteBypassConnection: (role, application) =>
      metrics.bypass.inc({ role: roleLabel(role), application: applicationLabel(application) }),
    noteVerified({ ok, corrupt, unread }, bytes) {
      metrics.verifiedPoints.inc({ status: 'ok' }, ok)
      metrics.verifiedPoints.inc({ status: 'corrupt' }, corrupt)
      metrics.verifiedPoints.inc({ status: 'unread' }, unread)
      metrics.verifiedBytes.inc(bytes)
    },
    noteRetention: (outcome, count) => metrics.retiredPoints.inc({ outcome }, count),
    noteDrill: (kind, status) => metrics.drills.inc({ kind: kindLabel(kind), status }),
    setDrillAge: (kind, ageSeconds) => metrics.drillAge.set({ kind: kindLabel(kind) }, ageSeconds),
    setPosture(posture) {
      for (const status of POSTURES) metrics.posture.set({ status }, status === posture ? 1 : 0)
    },
    setCaptureHealth(health) {
      for (const status of CAPTURE_STATES) metrics.captureHealth.set({ status }, status === health ? 1 : 0)
    },
  }
}

function createHttpRecorders(
  registry: Registry,
  options: MetricsOptions,
  noteRefusal: (reason: string) => void,
): HttpMetrics {
  const metrics = createServiceInstruments(registry)
  metrics.buildInfo.set({ version: options.version, environment: options.environment, node: process.version }, 1)
  return {
    noteRequest: (route, status) => metrics.requests.inc({ route, status }),
    noteRefusedCredential: noteRefusal,
  }
}

/** Open the recorders; each call has a registry of its own. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  if (options.hasProcessMetrics) collectDefaultMetrics({ register: registry })
  const refreshers: (() => Promise<void>)[] = []
  const gate = createGateRecorders(registry)
  return {
    ...gate,
    ...createRecoveryRecorders(registry),
    ...createHttpRecorders(registry, options, gate.noteBlock),
    contentType: registry.contentType,
    beforeScrape: (refresh) => void refreshers.push(refresh),
    async render() {
      await Promise.allSettled(refreshers.map((refresh) => refresh()))
      return registry.metrics()
    },
  }
}
