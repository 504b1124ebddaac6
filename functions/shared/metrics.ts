/**
 * The product's figures in CloudWatch's embedded metric format: log lines that CloudWatch reads.
 *
 * Shapes: a figure with labels a and b counts three times, under {environment}, {environment, a} and {environment, a, b}, so that
 *         an alarm on the whole needs no arithmetic
 * Source: CloudWatch documentation, "Embedded metric format specification"
 */
import { MetricUnit, Metrics as Powertools } from '@aws-lambda-powertools/metrics'
import { createLabelFilter, type Metrics, METRIC_NAMES as NAMES } from '#lib/api/index.ts'
import { findVariable } from './environment.ts'

type Unit = (typeof MetricUnit)[keyof typeof MetricUnit]
type Labels = readonly (readonly [name: string, value: string])[]

export interface EmfMetrics extends Metrics {
  /** Write what was noted since the last time; nothing noted: nothing written. */
  flush(): void
}

const NAMESPACE = 'Backstop'
const MAX_VALUES = 60
const MS_PER_S = 1_000
const NOT_HERE = '# On AWS these figures are in CloudWatch, namespace Backstop.\n'

/** One recorder for each set of label values; they are few, because every label is filtered. */
class Recorders {
  readonly #environment: string
  readonly #byLabels = new Map<string, { readonly labels: Labels; readonly metrics: Powertools }>()

  constructor(environment: string) {
    this.#environment = environment
  }

  add(name: string, unit: Unit, value: number, labels: Labels = []): void {
    const key = JSON.stringify(labels)
    let found = this.#byLabels.get(key)
    if (found === undefined) {
      found = { labels, metrics: new Powertools({ namespace: NAMESPACE }) }
      this.#byLabels.set(key, found)
    }
    found.metrics.addMetric(name, unit, value)
  }

  flush(): void {
    for (const { labels, metrics } of this.#byLabels.values()) {
      if (!metrics.hasStoredMetrics()) continue
      for (let count = 0; count <= labels.length; count++) {
        metrics.addDimensions({ environment: this.#environment, ...Object.fromEntries(labels.slice(0, count)) })
      }
      metrics.publishStoredMetrics()
    }
  }
}

function gateFigures(record: Recorders): Pick<Metrics, GateFigure> {
  const count = (name: string, ...labels: Labels) => record.add(name, MetricUnit.Count, 1, labels)
  const block = createLabelFilter(MAX_VALUES)
  const event = createLabelFilter(MAX_VALUES)
  return {
    noteQuery({ riskLevel, status, durationMs }) {
      count(NAMES.queries, ['risk', riskLevel], ['status', status])
      record.add(NAMES.duration, MetricUnit.Seconds, durationMs / MS_PER_S, [['risk', riskLevel]])
    },
    noteApproval: (decision) => count(NAMES.approvals, ['decision', decision]),
    noteBlock: (reason) => count(NAMES.blocks, ['reason', block(reason)]),
    noteRecoveryVerification: (status) => count(NAMES.verifications, ['status', status]),
    noteReadiness: (isReady, reason) =>
      count(NAMES.readiness, ['status', isReady ? 'ready' : 'not_ready'], ['reason', reason]),
    noteRiskyAttempt: (risk) => count(NAMES.riskyAttempts, ['risk', risk]),
    noteQuarantine: () => count(NAMES.quarantines),
    noteAlert: (eventType, status) => count(NAMES.alerts, ['event_type', event(eventType)], ['status', status]),
    setPaused: (isPaused) => record.add(NAMES.paused, MetricUnit.Count, isPaused ? 1 : 0),
    setPendingApprovals: (pending) => record.add(NAMES.pending, MetricUnit.Count, pending),
  }
}

type GateFigure =
  | 'noteQuery'
  | 'noteApproval'
  | 'noteBlock'
  | 'noteRecoveryVerification'
  | 'noteReadiness'
  | 'noteRiskyAttempt'
  | 'noteQuarantine'
  | 'noteAlert'
  | 'setPaused'
  | 'setPendingApprovals'

function recoveryFigures(record: Recorders): Omit<Metrics, GateFigure | ServiceFigure> {
  const count = (name: string, ...labels: Labels) => record.add(name, MetricUnit.Count, 1, labels)
  const table = createLabelFilter(MAX_VALUES)
  const role = createLabelFilter(MAX_VALUES)
  return {
    noteSnapshot(status, rowCount) {
      count(NAMES.snapshots, ['status', status])
      record.add(NAMES.snapshotRows, MetricUnit.Count, rowCount)
    },
    setLatestSnapshotAge: (name, ageSeconds) =>
      record.add(NAMES.latestAge, MetricUnit.Seconds, ageSeconds, [['table', table(name)]]),
    noteDroppedTable: () => count(NAMES.droppedTables),
    noteBypassConnection: (name) => count(NAMES.bypass, ['role', role(name)]),
    setPosture: (posture) => count(NAMES.posture, ['status', posture]),
    setCaptureHealth: (health) => count(NAMES.captureHealth, ['status', health]),
  }
}

type ServiceFigure = 'noteRequest' | 'noteRefusedCredential' | 'contentType' | 'beforeScrape' | 'render'

/** Open the recorders of one instance. */
export function openEmfMetrics(environment: string): EmfMetrics {
  const record = new Recorders(environment)
  const gate = gateFigures(record)
  return {
    ...gate,
    ...recoveryFigures(record),
    noteRequest: (route, status) =>
      record.add(NAMES.requests, MetricUnit.Count, 1, [
        ['route', route],
        ['status', String(status)],
      ]),
    noteRefusedCredential: gate.noteBlock,
    contentType: 'text/plain; charset=utf-8',
    beforeScrape: () => {},
    render: async () => NOT_HERE,
    flush: () => record.flush(),
  }
}

let opened: EmfMetrics | undefined

/** The recorders of this instance. */
export function figures(): EmfMetrics {
  opened ??= openEmfMetrics(findVariable('BACKSTOP_ENVIRONMENT') ?? 'local')
  return opened
}
