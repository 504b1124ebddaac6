/**
 * The product's figures in CloudWatch's embedded metric format: log lines that CloudWatch reads.
 *
 * Shapes: a figure with labels a and b counts three times, under {environment}, {environment, a} and {environment, a, b}, so that
 *         an alarm on the whole needs no arithmetic
 * Source: CloudWatch documentation, "Embedded metric format specification"
 */
import { createLabelFilter, type Metrics, METRIC_NAMES as NAMES } from '#lib/api/index.ts'
import { findVariable } from './environment.ts'

type Unit = 'Count' | 'Seconds'
type Labels = readonly (readonly [name: string, value: string])[]

export interface EmfMetrics extends Metrics {
  /** Write what was noted since the last time; nothing noted: nothing written. */
  flush(): void
}

const NAMESPACE = 'Backstop'
const MAX_VALUES = 60
const MS_PER_S = 1_000
const NOT_HERE = '# On AWS these figures are in CloudWatch, namespace Backstop.\n'

interface Noted {
  readonly labels: Labels
  readonly figures: Map<string, { readonly unit: Unit; readonly values: number[] }>
}

/** CloudWatch takes no more values of one figure in a line. */
const MAX_NOTED = 100

/** What was noted since the last time, by the values of its labels; they are few, because every label is filtered. */
class Recorders {
  readonly #environment: string
  readonly #write: (line: string) => void
  readonly #byLabels = new Map<string, Noted>()

  constructor(environment: string, write: (line: string) => void) {
    this.#environment = environment
    this.#write = write
  }

  add(name: string, unit: Unit, value: number, labels: Labels = []): void {
    const key = JSON.stringify(labels)
    const noted = this.#byLabels.get(key) ?? { labels, figures: new Map() }
    this.#byLabels.set(key, noted)
    const figure = noted.figures.get(name) ?? { unit, values: [] }
    noted.figures.set(name, figure)
    figure.values.push(value)
    if (figure.values.length >= MAX_NOTED) this.flush()
  }

  flush(): void {
    for (const noted of this.#byLabels.values()) this.#write(`${JSON.stringify(this.#lineOf(noted))}\n`)
    this.#byLabels.clear()
  }

  #lineOf({ labels, figures }: Noted) {
    const names = ['environment', ...labels.map(([name]) => name)]
    const definition = {
      Namespace: NAMESPACE,
      Dimensions: names.map((_, index) => names.slice(0, index + 1)),
      Metrics: [...figures].map(([Name, { unit }]) => ({ Name, Unit: unit })),
    }
    return {
      _aws: { Timestamp: Date.now(), CloudWatchMetrics: [definition] },
      environment: this.#environment,
      ...Object.fromEntries(labels),
      ...Object.fromEntries([...figures].map(([name, { values }]) => [name, values])),
    }
  }
}

function gateFigures(record: Recorders): Pick<Metrics, GateFigure> {
  const count = (name: string, ...labels: Labels) => record.add(name, 'Count', 1, labels)
  const block = createLabelFilter(MAX_VALUES)
  const event = createLabelFilter(MAX_VALUES)
  return {
    noteQuery({ riskLevel, status, durationMs }) {
      count(NAMES.queries, ['risk', riskLevel], ['status', status])
      record.add(NAMES.duration, 'Seconds', durationMs / MS_PER_S, [['risk', riskLevel]])
    },
    noteApproval: (decision) => count(NAMES.approvals, ['decision', decision]),
    noteBlock: (reason) => count(NAMES.blocks, ['reason', block(reason)]),
    noteRecoveryVerification: (status) => count(NAMES.verifications, ['status', status]),
    noteReadiness: (isReady, reason) =>
      count(NAMES.readiness, ['status', isReady ? 'ready' : 'not_ready'], ['reason', reason]),
    noteRiskyAttempt: (risk) => count(NAMES.riskyAttempts, ['risk', risk]),
    noteQuarantine: () => count(NAMES.quarantines),
    noteAlert: (eventType, status) => count(NAMES.alerts, ['event_type', event(eventType)], ['status', status]),
    setPaused: (isPaused) => record.add(NAMES.paused, 'Count', isPaused ? 1 : 0),
    setPendingApprovals: (pending) => record.add(NAMES.pending, 'Count', pending),
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
  const count = (name: string, ...labels: Labels) => record.add(name, 'Count', 1, labels)
  const table = createLabelFilter(MAX_VALUES)
  const role = createLabelFilter(MAX_VALUES)
  const kind = createLabelFilter(MAX_VALUES)
  return {
    noteSnapshot(status, rowCount) {
      count(NAMES.snapshots, ['status', status])
      record.add(NAMES.snapshotRows, 'Count', rowCount)
    },
    setLatestSnapshotAge: (name, ageSeconds) =>
      record.add(NAMES.latestAge, 'Seconds', ageSeconds, [['table', table(name)]]),
    noteDroppedTable: () => count(NAMES.droppedTables),
    noteBypassConnection: (name) => count(NAMES.bypass, ['role', role(name)]),
    setPosture: (posture) => count(NAMES.posture, ['status', posture]),
    setCaptureHealth: (health) => count(NAMES.captureHealth, ['status', health]),
    noteVerified(counts, bytes) {
      for (const [status, some] of Object.entries(counts)) {
        if (some > 0) record.add(NAMES.verifiedPoints, 'Count', some, [['status', status]])
      }
      record.add(NAMES.verifiedBytes, 'Count', bytes)
    },
    noteRetention: (outcome, some) => record.add(NAMES.retiredPoints, 'Count', some, [['outcome', outcome]]),
    noteDrill: (name, status) => count(NAMES.drills, ['kind', kind(name)], ['status', status]),
    setDrillAge: (name, ageSeconds) => record.add(NAMES.drillAge, 'Seconds', ageSeconds, [['kind', kind(name)]]),
  }
}

type ServiceFigure = 'noteRequest' | 'noteRefusedCredential' | 'contentType' | 'beforeScrape' | 'render'

/** Not through `console`: Lambda would wrap the line, and CloudWatch would not see it. */
const writeOut = (line: string) => void process.stdout.write(line)

/** Open the recorders of one instance. */
export function openEmfMetrics(environment: string, write: (line: string) => void = writeOut): EmfMetrics {
  const record = new Recorders(environment, write)
  const gate = gateFigures(record)
  return {
    ...gate,
    ...recoveryFigures(record),
    noteRequest: (route, status) =>
      record.add(NAMES.requests, 'Count', 1, [
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

/** The recorders of this instance; POWERTOOLS_METRICS_DISABLED=true keeps them quiet, as it does the library's own. */
export function figures(): EmfMetrics {
  const write = findVariable('POWERTOOLS_METRICS_DISABLED') === 'true' ? () => {} : writeOut
  opened ??= openEmfMetrics(findVariable('BACKSTOP_ENVIRONMENT') ?? 'local', write)
  return opened
}
