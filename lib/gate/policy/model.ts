/** The policy file's fields, its defaults, and what a decision says. */
import type { RiskLevel, Sha256Hex } from '#lib/kernel/index.ts'

export type PolicyAction = 'execute' | 'approve' | 'block'

/** Fields and defaults of the public policy reference; snake_case because the file is. */
export interface Policy {
  readonly require_approval_for_risks: readonly RiskLevel[]
  readonly block_operations: readonly string[]
  readonly require_recovery_for_critical: boolean
  readonly block_unknown_or_parse_failure: boolean
  readonly block_unrecoverable_operations: boolean
  readonly max_snapshot_age_seconds: number
  readonly require_sidecar_heartbeat: boolean
  readonly max_sidecar_heartbeat_seconds: number
  readonly require_object_checksum: boolean
  readonly impact_analysis_enabled: boolean
  readonly max_write_rows_without_critical: number
  readonly max_write_percent_without_critical: number
  readonly protected_tables: readonly string[]
  readonly protected_columns: Readonly<Record<string, readonly string[]>>
  readonly unknown_impact_action: PolicyAction
  readonly recovery_groups: Readonly<Record<string, readonly string[]>>
  readonly foreign_key_grouping_enabled: boolean
  readonly cascade_risk_requires_group_readiness: boolean
  readonly max_blocked_attempts_per_window: number
  readonly quarantine_duration_seconds: number
  readonly dangerous_retry_window_seconds: number
  readonly quarantine_blocks_safe_queries: boolean
}

/** A policy in force: the file's fields, the environment's overrides, and the version that approvals are bound to. */
export interface ActivePolicy {
  readonly policy: Policy
  /** From BACKSTOP_POLICY_<LEVEL>; wins over require_approval_for_risks. */
  readonly levelActions: Readonly<Partial<Record<RiskLevel, PolicyAction>>>
  /** Digest of all of the above. */
  readonly version: Sha256Hex
}

export interface Verdict {
  readonly action: PolicyAction
  /** The rule that decided, such as `block-operations`. */
  readonly rule: string
  /** One sentence for the agent: `DROP DATABASE is blocked by policy`. */
  readonly reason: string
}
