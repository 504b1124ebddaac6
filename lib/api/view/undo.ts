/** The report of an undo as the API shows it. */
import type { AuditId } from '#lib/kernel/index.ts'
import { displayRelation } from '#lib/kernel/index.ts'
import type { UndoReport, UndoRow } from '#lib/ports/index.ts'

/** Most rows in an answer; the figures count all of them. */
const MOST_ROWS = 1_000

function rowView({ relation, action, key, columns, conflict }: UndoRow) {
  return { table: displayRelation(relation), action, key, columns, conflict: conflict ?? null }
}

/** Conflicts first: they are what has to be looked at. `auditId`: of the look or the reversal itself. */
export function undoView(report: UndoReport, auditId: AuditId) {
  const rows = [...report.rows].sort((one, other) => Number(!one.conflict) - Number(!other.conflict))
  const { undo } = report
  return {
    status: report.status,
    audit_id: report.auditId,
    undo_audit_id: auditId,
    conflict_policy: report.conflictPolicy,
    row_count: rows.length,
    reversed_count: report.reversedCount,
    conflict_count: report.conflictCount,
    rows: rows.slice(0, MOST_ROWS).map(rowView),
    rows_left_out: Math.max(0, rows.length - MOST_ROWS),
    quiet_triggers: report.quietTriggers,
    undo: undo?.available === true ? { available: true, audit_id: auditId, row_count: undo.rowCount } : null,
  }
}
