/** A run of retention for programs and for people. */
import { displayRelation } from '#lib/kernel/index.ts'
import type { Keep, RetentionPolicy, RetentionReport } from '#lib/recovery/index.ts'
import type { Block } from '../terminal/index.ts'
import { formatBytes } from '../terminal/index.ts'

export function policyData(policy: RetentionPolicy) {
  return {
    keep_last: policy.keepLast,
    keep_days: policy.keepDays,
    keep_hourly: policy.keepHourly,
    keep_daily: policy.keepDaily,
    keep_weekly: policy.keepWeekly,
    keep_monthly: policy.keepMonthly,
    final_days: policy.finalDays,
    quarantine_days: policy.quarantineDays,
  }
}

export function reportData(report: RetentionReport) {
  return {
    dry_run: report.isDryRun,
    removed: report.removed.map((one) => ({
      snapshot_id: one.snapshotId,
      schema: one.relation.schema,
      table: one.relation.name,
      timestamp: one.capturedAt,
      reason: one.because,
      object_count: one.objectCount,
      size_bytes: one.sizeBytes,
    })),
    kept: report.kept.map(({ point, because }) => ({
      snapshot_id: point.snapshotId,
      schema: point.relation.schema,
      table: point.relation.name,
      timestamp: point.capturedAt,
      status: point.status,
      reasons: because,
    })),
    leftovers: report.swept.map(({ prefix, objectCount, sizeBytes }) => ({
      prefix,
      object_count: objectCount,
      size_bytes: sizeBytes,
    })),
    failed: report.failed,
    skipped: report.skipped,
  }
}

export function reportBlocks(report: RetentionReport): readonly Block[] {
  const { isDryRun, removed, kept, swept, failed, skipped } = report
  const bytes = [...removed, ...swept].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const done = isDryRun ? 'would go' : 'removed'
  return [
    {
      kind: 'table',
      columns: [{ title: 'snapshot' }, { title: 'table' }, { title: 'captured at' }, { title: done }],
      rows: removed.map((one) => [one.snapshotId, displayRelation(one.relation), one.capturedAt, one.because]),
      whenEmpty: isDryRun ? 'Nothing would go.' : 'Nothing was to be removed.',
    },
    ...pairs(
      `Leftovers of captures (${done})`,
      'objects',
      swept.map((one) => [one.prefix, String(one.objectCount)]),
    ),
    ...pairs(
      'Refused',
      'why',
      failed.map((one) => [one.subject, one.reason]),
    ),
    ...pairs(
      'Not done',
      'why',
      skipped.map((one) => [one.subject, one.reason]),
    ),
    {
      kind: 'text',
      text: `${removed.length} ${done}, ${kept.length} kept, ${formatBytes(bytes)}. Why each stays: --json.`,
    },
  ]
}

function pairs(title: string, second: string, rows: readonly (readonly [string, string])[]): readonly Block[] {
  if (rows.length === 0) return []
  return [
    { kind: 'title', text: title },
    { kind: 'table', columns: [{ title: 'what' }, { title: second }], rows, whenEmpty: '' },
  ]
}

export function keepData(keep: Keep) {
  return { snapshot_id: keep.snapshotId, kind: keep.kind, reason: keep.reason, by: keep.by, since: keep.at }
}

export function keepTable(keeps: readonly Keep[], whenEmpty: string): Block {
  return {
    kind: 'table',
    columns: [{ title: 'snapshot' }, { title: 'kept by' }, { title: 'since' }, { title: 'who' }, { title: 'reason' }],
    rows: keeps.map((keep) => [
      keep.snapshotId,
      keep.kind === 'pin' ? 'pin' : 'legal hold',
      keep.at,
      keep.by,
      keep.reason,
    ]),
    whenEmpty,
  }
}
