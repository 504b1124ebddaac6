/** Schemas of answers: the published fields, checked against every answer in the tests. */

import { z } from 'zod'
import { RISK_LEVELS } from '#lib/kernel/index.ts'

const instant = z.iso.datetime()
const risk = z.enum(RISK_LEVELS)
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const ageSeconds = z.number().min(0).nullable()

export const errorAnswer = z.looseObject({
  error: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  correlation_id: z.string().optional(),
  required_scope: z.string().optional(),
})

export const healthAnswer = z.strictObject({
  status: z.literal('ok'),
  service: z.literal('backstop-gateway'),
  version: z.string(),
  time: instant,
})

const heldSafety = z.strictObject({
  risk_level: risk,
  operation: z.string(),
  schema: z.string().nullable(),
  table: z.string().nullable(),
  policy_action: z.literal('approve'),
  policy_reason: z.string(),
  requires_approval: z.literal(true),
  recovery_possible: z.boolean().describe('A recovery point covered the statement when it was held'),
  estimated_affected_rows: z.number().nullable(),
  affected_percent: z.number().nullable(),
  impact_method: z.string(),
  max_rows: z.number().nullable().describe('Most rows that may change when it runs'),
})

const approvalFields = {
  id: z.string(),
  approval_id: z.string(),
  status: z.enum(['pending', 'approved', 'denied', 'expired', 'consumed']),
  query: z.string(),
  sql: z.string(),
  parameters: z
    .array(z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .describe('Values of $1, $2, …; long ones are cut and say so'),
  query_sha256: sha256,
  agent_id: z.string(),
  principal: z.string(),
  risk_level: risk,
  operation: z.string(),
  schema: z.string().nullable(),
  table: z.string().nullable(),
  environment: z.string(),
  cluster_id: z.string(),
  snapshot_id: z.string().nullable(),
  recovery_points: z.array(z.string()),
  snapshot_age_seconds: ageSeconds,
  safety_metadata: heldSafety,
  agent_reason: z.string().nullable().describe('Written by the agent; nobody has checked it'),
  agent_reason_is_claim: z.literal(true),
  created_at: instant,
  expires_at: instant,
}

export const pendingAnswer = z.strictObject({
  pending: z.array(z.strictObject(approvalFields)).describe('Oldest first'),
  count: z.int(),
})

export const approvalAnswer = z.strictObject({
  ...approvalFields,
  decided_at: instant.nullable(),
  decided_by: z.string().nullable(),
  comment: z.string().nullable(),
  consumed_at: instant.nullable(),
  audit_id: z.string().nullable(),
  message: z.string().describe('What to do next'),
})

export function pageOf<T extends z.ZodType>(item: T) {
  return z.strictObject({ items: z.array(item), count: z.int(), next_cursor: z.string().nullable() })
}
export const approvalPageAnswer = pageOf(approvalAnswer)

export const decisionAnswer = z.strictObject({
  status: z.enum(['approved', 'denied']),
  approval_id: z.string(),
  decided_at: instant,
  decided_by: z.string(),
  comment: z.string().nullable(),
})

export const snapshotRow = z.strictObject({
  snapshot_id: z.string(),
  schema: z.string(),
  table: z.string(),
  table_name: z.string(),
  snapshot_scope: z.literal('table'),
  status: z.enum(['valid', 'invalid', 'quarantined', 'retired']),
  validation_error: z.string().nullable(),
  origin: z.enum(['schedule', 'demand', 'final', 'manual']),
  timestamp: instant,
  confirmed_at: instant.nullable().describe('When the table was last proven to be unchanged since'),
  age_seconds: ageSeconds.describe('Since confirmed_at where it is set, else since timestamp'),
  row_count: z.number(),
  size_bytes: z.number(),
  set_id: z.string().nullable().describe('The set that it was captured in, with others at one instant'),
  manifest_key: z.string(),
  manifest_sha256: z.string(),
})
export const snapshotListAnswer = z.array(snapshotRow).describe('Newest first')

export const setPageAnswer = pageOf(
  z.strictObject({
    set_id: z.string(),
    status: z.enum(['valid', 'invalid']).describe('valid only while every member is'),
    problem: z.string().nullable(),
    origin: z.enum(['schedule', 'demand', 'final', 'manual']),
    timestamp: instant,
    lsn: z.string().describe('WAL position of all members'),
    selection: z.enum(['tables', 'group', 'connected', 'dependencies']),
    group: z.string().nullable(),
    members: z
      .array(
        z.strictObject({
          snapshot_id: z.string(),
          schema: z.string(),
          table: z.string(),
          row_count: z.number(),
          size_bytes: z.number(),
        }),
      )
      .describe('Each after those that it refers to'),
    manifest_key: z.string(),
    manifest_sha256: z.string(),
  }),
)

export const auditPageAnswer = pageOf(
  z.strictObject({
    id: z.string(),
    timestamp: instant,
    action: z.string(),
    principal: z.string(),
    agent_id: z.string().nullable(),
    query: z.string().nullable(),
    query_sha256: sha256.nullable(),
    risk_level: risk.nullable(),
    operation: z.string().nullable(),
    outcome: z.string().nullable().describe('null while it runs, and after a crash in the middle'),
    approval_id: z.string().nullable(),
    row_count: z.number().nullable(),
    duration_ms: z.number().nullable(),
    error_code: z.string().nullable(),
    policy_reason: z.string().nullable(),
    finished_at: instant.nullable(),
    environment: z.string(),
    cluster_id: z.string(),
  }),
)

export const alertPageAnswer = pageOf(
  z.strictObject({
    id: z.string(),
    timestamp: instant,
    severity: z.enum(['info', 'warning', 'critical']),
    event_type: z.string(),
    state: z.enum(['raised', 'resolved']),
    table_name: z.string().nullable(),
    title: z.string(),
    recommended_action: z.string(),
    status: z.string().describe('recorded, sent, failed or failed_http_<code>'),
    deliveries: z.array(
      z.strictObject({ target: z.string(), status: z.string(), attempts: z.int(), timestamp: instant }),
    ),
    environment: z.string(),
    facts: z.record(z.string(), z.unknown()),
    payload_json: z.string().describe('The document that a generic webhook is sent'),
  }),
)

export const healthDetailsAnswer = z.strictObject({
  gateway: z.enum(['healthy', 'degraded', 'paused']),
  sidecar_status: z.enum(['healthy', 'degraded', 'stale', 'unknown']),
  sidecar_detail: z.string().nullable(),
  sidecar_heartbeat_age_seconds: ageSeconds,
  last_snapshot_age_seconds: ageSeconds,
  storage_accessible: z.boolean(),
  database_reachable: z.boolean(),
  metadata_accessible: z.boolean(),
  paused: z.boolean(),
  pending_approvals: z.int().nullable(),
  prevention_posture: z
    .enum(['healthy', 'degraded', 'recovery_only', 'unknown'])
    .describe('recovery_only: somebody is connected past the gate'),
  prevention_detail: z.string().nullable().describe('Why it is not healthy'),
  environment: z.string(),
  cluster_id: z.string(),
  version: z.string(),
  checked_at: instant,
})

const pauseState = z.strictObject({
  paused: z.boolean(),
  reason: z.string(),
  updated_at: instant,
  updated_by: z.string(),
  pause_blocks_safe: z.boolean(),
})
export const pauseAnswer = z.strictObject({
  status: z.enum(['emergency_paused', 'emergency_resumed']),
  pause: pauseState,
  warning: z.string().optional(),
})

const quarantine = z.strictObject({ principal: z.string(), attempts: z.int(), since: instant, until: instant })
export const statusAnswer = z.strictObject({
  environment: z.string(),
  cluster_id: z.string(),
  version: z.string(),
  dev_mode: z.boolean(),
  pause: pauseState,
  policy: z.looseObject({ version: sha256, actions: z.record(risk, z.enum(['execute', 'approve', 'block'])) }),
  quarantines: z.array(quarantine),
  tokens: z.array(
    z.strictObject({
      id: z.string(),
      scopes: z.array(z.string()),
      agent_ids: z.array(z.string()),
      description: z.string().nullable(),
      expires_at: instant.nullable(),
    }),
  ),
})

const undoValue = z.strictObject({ from: z.string().nullable(), to: z.string().nullable() })
export const undoAnswer = z.strictObject({
  status: z.enum(['planned', 'undone', 'conflict']).describe('conflict: nothing was changed'),
  audit_id: z.string().describe('Of the write'),
  undo_audit_id: z.string().describe('Of this look or reversal; a reversal is undone by it'),
  conflict_policy: z.enum(['fail', 'skip']),
  row_count: z.int(),
  reversed_count: z.int(),
  conflict_count: z.int(),
  rows: z
    .array(
      z.strictObject({
        table: z.string(),
        action: z.enum(['reinsert', 'restore', 'remove']),
        key: z.record(z.string(), z.string().nullable()),
        columns: z.record(z.string(), undoValue),
        conflict: z
          .strictObject({ kind: z.enum(['changed', 'missing', 'exists']), columns: z.array(z.string()) })
          .nullable(),
      }),
    )
    .describe('Conflicts first; values as the server writes them'),
  rows_left_out: z.int(),
  quiet_triggers: z.array(z.string()).describe('Triggers of users that did not fire'),
  undo: z.strictObject({ available: z.literal(true), audit_id: z.string(), row_count: z.int() }).nullable(),
})

export const testAlertAnswer = z.strictObject({
  status: z.enum(['recorded', 'failed', 'repeated']),
  alert_id: z.string(),
  targets: z.array(z.string()).nullable().describe('null: another process delivers'),
})
export const releaseAnswer = z.strictObject({ status: z.literal('released'), principal: z.string() })
export const openApiAnswer = z.looseObject({ openapi: z.string() })
export const metricsAnswer = z.string().describe('Prometheus text format')
