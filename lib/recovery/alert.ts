/** What operators are to be told about recovery, ready to be raised: ids, names and figures. */
import type { JsonObject, RelationName } from '#lib/kernel/index.ts'
import { displayRelation, ERRORS } from '#lib/kernel/index.ts'
import type { AlertSeverity, RecoveryPoint } from '#lib/ports/index.ts'
import type { StoredDrill } from './drill/index.ts'
import type { RoundFailure, RoundPlan } from './round/index.ts'
import type { CheckedPoint, CorruptPoint, VerifyPointsReport } from './verify/index.ts'

export interface RecoveryAlert {
  readonly severity: AlertSeverity
  readonly eventType: string
  readonly title: string
  readonly recommendedAction: string
  readonly facts: JsonObject
  /** Alerts of one key within the window are one. */
  readonly dedupeKey: string
  /** Of the alert of an end: the key of the one of the beginning. */
  readonly incidentKey?: string
  readonly state?: 'resolved'
}

export function captureFailedAlert({ relation, code }: RoundFailure): RecoveryAlert {
  const table = displayRelation(relation)
  return {
    severity: 'critical',
    eventType: 'snapshot_capture_failed',
    title: `No recovery point could be taken of ${table}`,
    recommendedAction: `Destructive work on this table is refused until it is mended. ${hintOf(code)}`.trim(),
    facts: { table, code },
    dedupeKey: `capture:${table}`,
  }
}

/** Of a capture whose process ended in the middle of it, whatever has become of the table since. */
export function captureLostAlert(relation: RelationName): RecoveryAlert {
  const table = displayRelation(relation)
  return {
    severity: 'warning',
    eventType: 'snapshot_capture_lost',
    title: `A capture of ${table} was cut off: its process ended`,
    recommendedAction: hintOf('CAPTURE_LOST'),
    facts: { table },
    dedupeKey: `lost:${table}`,
  }
}

/** Of a round: each table that fails, each point that was set aside, each table whose points are too old. */
export function roundAlerts(round: Pick<RoundPlan, 'failing' | 'quarantined' | 'overdue'>): readonly RecoveryAlert[] {
  return [
    ...round.failing.map(captureFailedAlert),
    ...round.quarantined.map(pointCorruptAlert),
    ...round.overdue.map(overdueAlert),
  ]
}

function overdueAlert(relation: RelationName): RecoveryAlert {
  const table = displayRelation(relation)
  return {
    severity: 'warning',
    eventType: 'snapshot_stale',
    title: `The newest recovery point of ${table} is too old`,
    recommendedAction: 'Look whether captures are carried out at all, and how long the one of this table takes.',
    facts: { table },
    dedupeKey: `stale:${table}`,
  }
}

function pointCorruptAlert({ snapshotId, relation, reason }: CorruptPoint): RecoveryAlert {
  const table = displayRelation(relation)
  return {
    severity: 'critical',
    eventType: 'snapshot_quarantined',
    title: `A recovery point of ${table} is corrupt and was set aside`,
    recommendedAction:
      'Keep its objects for investigation and look at the storage; the other points of the table are still offered. See the runbook for corrupt snapshots.',
    facts: { table, snapshotId, reason },
    dedupeKey: `corrupt:${snapshotId}`,
  }
}

/** Of a check of one point: what was set aside, or that it is offered again. */
export function checkAlerts({ point, verdict, change }: CheckedPoint): readonly RecoveryAlert[] {
  if (change === 'set-aside' && verdict.kind === 'corrupt') {
    return [pointCorruptAlert({ ...point, reason: verdict.reason })]
  }
  return change === 'reinstated' ? [pointReinstatedAlert(point)] : []
}

function pointReinstatedAlert({ snapshotId, relation }: RecoveryPoint): RecoveryAlert {
  const table = displayRelation(relation)
  return {
    severity: 'info',
    eventType: 'snapshot_reinstated',
    title: `A recovery point of ${table} that was set aside is whole and offered again`,
    recommendedAction: 'Nothing to do.',
    facts: { table, snapshotId },
    dedupeKey: `reinstated:${snapshotId}`,
    incidentKey: `corrupt:${snapshotId}`,
    state: 'resolved',
  }
}

function setCorruptAlert({ setId, reason }: VerifyPointsReport['sets']['corrupt'][number]): RecoveryAlert {
  return {
    severity: 'critical',
    eventType: 'set_quarantined',
    title: 'The list of a set of recovery points is corrupt and was set aside',
    recommendedAction:
      'Its members are sound and are restored one by one, or by another set; look at the storage, and take a new set.',
    facts: { setId, reason },
    dedupeKey: `corrupt:${setId}`,
  }
}

/** One per corrupt point or set, and one when the storage would not be read. A run for which there was nothing to do yet tells nothing. */
export function verifyAlerts(report: VerifyPointsReport): readonly RecoveryAlert[] {
  const alerts = [...report.corrupt.map(pointCorruptAlert), ...report.sets.corrupt.map(setCorruptAlert)]
  if (report.checked > 0 || report.unread === 0) return alerts
  const unchecked: RecoveryAlert = {
    severity: 'warning',
    eventType: 'snapshots_unchecked',
    title: 'Stored recovery points could not be read again',
    recommendedAction: 'Check the storage location, its permissions and whether it is mounted.',
    facts: { skipped: report.skipped.length, reason: report.skipped[0]?.reason ?? '' },
    dedupeKey: 'verify:unread',
  }
  return [...alerts, unchecked]
}

/** What was drilled, in a word. */
function drilled({ kind, relation, clusterId, database }: StoredDrill['evidence']): string {
  if (relation !== null) return displayRelation(relation)
  return clusterId ?? (kind === 'table-restore' ? 'a table' : (database ?? 'none'))
}

/** Nothing for a drill that went well. One that proved nothing is told too. */
export function drillAlerts({ evidence, key }: StoredDrill): readonly RecoveryAlert[] {
  if (evidence.result === 'ok') return []
  const isFailed = evidence.result === 'failed'
  const { kind, relation } = evidence
  const subject = drilled(evidence)
  const code = evidence.failure?.code ?? 'NOTHING_DRILLED'
  const alert: RecoveryAlert = {
    severity: isFailed ? 'critical' : 'warning',
    eventType: isFailed ? 'drill_failed' : 'drill_skipped',
    title: isFailed ? `The drill ${kind} of ${subject} failed` : `The drill ${kind} of ${subject} proved nothing`,
    recommendedAction: `Read the evidence: ${key ?? 'the record of the drill'}. ${hintOf(code)}`.trim(),
    facts: {
      drillId: evidence.drillId,
      kind,
      table: relation === null ? null : subject,
      subject,
      code,
      reason: evidence.failure?.reason ?? evidence.skipped[0]?.reason ?? '',
    },
    dedupeKey: `drill:${kind}:${subject}:${code}`,
  }
  return [alert]
}

function hintOf(code: string): string {
  return code in ERRORS ? ERRORS[code as keyof typeof ERRORS].hint : ''
}
