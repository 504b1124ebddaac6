/** Recovery points, audit events and alerts as the API shows them. */
import type { AuditEvent } from '#lib/gate/index.ts'
import { epochMsOf, SECOND_MS } from '#lib/kernel/index.ts'
import { buildAlertDocument, type RecoveryPoint } from '#lib/ports/index.ts'
import type { ApiSettings, ListedAlert, ListedSet } from '../model.ts'

/** Whole seconds, never negative, whatever the clocks say. */
export function ageSeconds(instantMs: number, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - instantMs) / SECOND_MS))
}

export function snapshotView(point: RecoveryPoint, nowMs: number) {
  return {
    snapshot_id: point.snapshotId,
    schema: point.relation.schema,
    table: point.relation.name,
    table_name: point.relation.name,
    snapshot_scope: 'table',
    status: point.status,
    validation_error: point.validationError ?? null,
    origin: point.origin,
    timestamp: point.capturedAt,
    confirmed_at: point.confirmedAt ?? null,
    age_seconds: ageSeconds(epochMsOf(point.confirmedAt ?? point.capturedAt), nowMs),
    row_count: point.rowCount,
    size_bytes: point.sizeBytes,
    set_id: point.setId ?? null,
    manifest_key: point.manifestKey,
    manifest_sha256: point.manifestSha256,
  }
}

export function setView(set: ListedSet) {
  return {
    set_id: set.setId,
    status: set.status,
    problem: set.problem ?? null,
    origin: set.origin,
    timestamp: set.capturedAt,
    lsn: set.lsn,
    selection: set.selection.kind,
    group: set.selection.group,
    members: set.members.map(({ snapshotId, relation, rowCount, sizeBytes }) => ({
      snapshot_id: snapshotId,
      schema: relation.schema,
      table: relation.name,
      row_count: rowCount,
      size_bytes: sizeBytes,
    })),
    manifest_key: set.manifestKey,
    manifest_sha256: set.manifestSha256,
  }
}

export function auditView(event: AuditEvent, settings: ApiSettings) {
  const { intent, result } = event
  return {
    id: event.id,
    timestamp: event.at,
    action: intent.action,
    principal: intent.principal,
    agent_id: intent.agentId ?? null,
    query: intent.query ?? null,
    query_sha256: intent.querySha256 ?? null,
    risk_level: intent.riskLevel ?? null,
    operation: intent.operation ?? null,
    outcome: result?.outcome ?? null,
    approval_id: intent.approvalId ?? null,
    row_count: result?.rowCount ?? null,
    duration_ms: result?.durationMs ?? null,
    error_code: result?.errorCode ?? null,
    policy_reason: result?.policyReason ?? null,
    finished_at: event.finishedAt ?? null,
    environment: event.environment,
    cluster_id: settings.clusterId,
  }
}

export function alertView({ alert, status, deliveries = [] }: ListedAlert) {
  const { table } = alert.facts
  return {
    id: alert.id,
    timestamp: alert.at,
    severity: alert.severity,
    event_type: alert.eventType,
    state: alert.state ?? 'raised',
    table_name: typeof table === 'string' ? table : null,
    title: alert.title,
    recommended_action: alert.recommendedAction,
    status,
    deliveries: deliveries.map(({ at, ...delivery }) => ({ ...delivery, timestamp: at })),
    environment: alert.environment,
    facts: alert.facts,
    payload_json: JSON.stringify(buildAlertDocument(alert)),
  }
}

export function pageView<T>(items: readonly T[], cursor: string | undefined) {
  return { items, count: items.length, next_cursor: cursor ?? null }
}
