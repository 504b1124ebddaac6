/** Answers to the agent, each with what the ledger keeps of it. Pure. */
import { BackstopError, type JsonObject, type JsonValue, type RiskLevel } from '#lib/kernel/index.ts'
import type { CappedResult, RecoveryPoint, UndoKept } from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import type { Approval } from '../approval/index.ts'
import type { AuditResult } from '../audit/index.ts'
import { changedRowCount, type ExecutionLimits, type Ran } from '../execute/index.ts'
import type { FailedAnswer, QueryAnswer, RecoveryPointAnswer, SafetyMetadata, UndoAnswer } from './model.ts'

export interface Outcome {
  readonly answer: QueryAnswer
  readonly audit: AuditResult
}

export interface Extras {
  readonly approvalId?: string
  readonly recoveryPoints?: readonly RecoveryPoint[]
  readonly undo?: { readonly auditId: string; readonly kept: UndoKept }
}

function baseOf(metadata: SafetyMetadata): { risk_level: RiskLevel; safety_metadata: SafetyMetadata; audit_id: null } {
  return { risk_level: metadata.risk_level, safety_metadata: metadata, audit_id: null }
}

/** Equal names are told apart: `count`, `count_2`. */
function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>()
  return names.map((name) => {
    let unique = name
    for (let copy = 2; taken.has(unique); copy++) unique = `${name}_${copy}`
    taken.add(unique)
    return unique
  })
}

function rowsOf(result: CappedResult, columns: readonly string[]): readonly Readonly<Record<string, JsonValue>>[] {
  return result.rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index] ?? null])))
}

function truncationOf(result: CappedResult, limits: ExecutionLimits) {
  if (result.truncated === undefined) return {}
  const by = result.truncated
  const limit = by === 'rows' ? limits.maxRows : limits.maxBytes
  const message = `Only the first ${result.rows.length} rows are here: the limit is ${limit} ${by}. Narrow the query or page through it.`
  return { truncated: { by, limit, message } }
}

function pointAnswer(point: RecoveryPoint): RecoveryPointAnswer {
  return {
    snapshot_id: point.snapshotId,
    table: point.relation.name,
    schema: point.relation.schema,
    timestamp: point.capturedAt,
    row_count: point.rowCount,
    manifest_key: point.manifestKey,
    ...(point.setId === undefined ? {} : { set_id: point.setId }),
  }
}

function undoAnswer({ auditId, kept }: NonNullable<Extras['undo']>): UndoAnswer {
  return kept.available ? { available: true, audit_id: auditId, row_count: kept.rowCount } : kept
}

/** The digest binds the pre-image to this event. */
function undoFacts({ undo }: Extras): JsonObject {
  if (undo === undefined) return {}
  const { kept } = undo
  return { undo: kept.available ? { rowCount: kept.rowCount, sha256: kept.sha256 } : { unavailable: kept.reason } }
}

function extrasOf(extras: Extras) {
  return {
    ...(extras.undo === undefined ? {} : { undo: undoAnswer(extras.undo) }),
    ...(extras.approvalId === undefined ? {} : { approval_id: extras.approvalId }),
    ...(extras.recoveryPoints === undefined || extras.recoveryPoints.length === 0
      ? {}
      : { recovery_points: extras.recoveryPoints.map(pointAnswer) }),
  }
}

/** It ran, and its effect stands. */
export function executed(ran: Ran, metadata: SafetyMetadata, limits: ExecutionLimits, extras: Extras = {}): Outcome {
  const { result } = ran
  const affected = result.rowCount ?? changedRowCount(ran.changed)
  const isWrite = ran.changed.length > 0
  const common = { ...baseOf(metadata), status: 'executed' as const, ...extrasOf(extras) }
  const changed = ran.changed.map((table) => ({
    ...table,
    relation: `${table.relation.schema}.${table.relation.name}`,
  }))
  const points = (extras.recoveryPoints ?? []).map((point) => point.snapshotId)
  const facts = { changed, recoveryPoints: points, ...undoFacts(extras) }
  const audit: AuditResult = { outcome: 'executed', rowCount: affected, facts }
  if (result.columns.length === 0) {
    return { audit, answer: { ...common, result_type: 'command', command: result.command, rows_affected: affected } }
  }
  const columns = uniqueNames(result.columns.map((column) => column.name))
  const rows = rowsOf(result, columns)
  const answer: QueryAnswer = {
    ...common,
    result_type: 'rows',
    columns,
    row_count: rows.length,
    rows,
    ...truncationOf(result, limits),
    ...(isWrite ? { rows_affected: affected } : {}),
  }
  return { audit, answer }
}

/** Policy, pause, quarantine or missing recovery said no. */
export function blocked(metadata: SafetyMetadata, message: string, approvalId?: string): Outcome {
  const approval = approvalId === undefined ? {} : { approval_id: approvalId }
  return {
    audit: { outcome: 'blocked', policyReason: message },
    answer: { ...baseOf(metadata), status: 'blocked', message, ...approval },
  }
}

/** A person said no, or the approval cannot be used. */
export function denied(metadata: SafetyMetadata, message: string, approvalId: string): Outcome {
  return {
    audit: { outcome: 'denied', policyReason: message },
    answer: { ...baseOf(metadata), status: 'denied', message, approval_id: approvalId },
  }
}

/** A person has to decide. */
export function held(metadata: SafetyMetadata, approval: Approval, message: string): Outcome {
  return {
    audit: { outcome: 'held', policyReason: message, facts: { approvalId: approval.id } },
    answer: {
      ...baseOf({ ...metadata, policy_action: 'approve', requires_approval: true }),
      status: 'approval_required',
      approval_id: approval.id,
      expires_at: approval.expiresAt,
      message,
    },
  }
}

function errorOf(error: unknown): FailedAnswer['error'] {
  if (error instanceof StatementError) {
    const isTimeout = error.failure.sqlState === '57014'
    const mapped = new BackstopError(isTimeout ? 'EXECUTION_TIMEOUT' : 'EXECUTION_FAILED', error.failure.message)
    return {
      code: mapped.code,
      message: error.failure.message,
      hint: error.failure.hint ?? mapped.hint,
      sql_state: error.failure.sqlState,
    }
  }
  const known = error instanceof BackstopError ? error : new BackstopError('BUG', 'The gate failed on this statement.')
  return { code: known.code, message: known.message, hint: known.hint }
}

/** It did not run, or what it did is undone; `unknown` only where COMMIT was cut off. */
export function failed(metadata: SafetyMetadata, error: unknown, approvalId?: string): Outcome {
  const shown = errorOf(error)
  const isUnknown = shown.code === 'EXECUTION_UNKNOWN'
  const approval = approvalId === undefined ? {} : { approval_id: approvalId }
  return {
    audit: { outcome: isUnknown ? 'unknown' : 'failed', errorCode: shown.sql_state ?? shown.code },
    answer: {
      ...baseOf(metadata),
      status: 'failed',
      error: shown,
      effect: isUnknown ? 'unknown' : error instanceof StatementError ? 'rolled-back' : 'none',
      ...approval,
    },
  }
}
