/** The policy file's fields, what a decision is made from, and what it says. */
import type { Instant, RelationName, RiskLevel, Sha256Hex } from '#lib/kernel/index.ts'
import type { Impact } from '../assess/index.ts'
import type { Finding, Recoverability, RefusedText, TransactionMode } from '../classify/index.ts'

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
  readonly require_undo_for_writes: boolean
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

export type LevelActions = Readonly<Partial<Record<RiskLevel, PolicyAction>>>

/** A policy in force: the file's fields, the environment's overrides, and the version that approvals are bound to. */
export interface ActivePolicy {
  readonly policy: Policy
  /** From BACKSTOP_POLICY_<LEVEL>; wins over require_approval_for_risks. */
  readonly levelActions: LevelActions
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

/** One thing that is wrong with a policy file: where, what, and which name may have been meant. */
export interface PolicyProblem {
  /** `protected_columns.users[0]`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
  readonly suggestion?: string
}

export type ParsedPolicy =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] }

/** Everything a decision looks at; built by `describeFacts` from the classification and the assessment. */
export interface DecisionFacts {
  /** The label shown to people. */
  readonly operation: string
  /** The label and every operation inside the statement: CTEs, rules, DO bodies; upper case. */
  readonly operations: readonly string[]
  /** The highest of `levels`. */
  readonly level: RiskLevel
  /** Of the text, of every finding and of the assessment: each one's action counts, so that raising never widens access. */
  readonly levels: readonly RiskLevel[]
  readonly findings: readonly Finding[]
  readonly transaction: TransactionMode
  readonly recoverability: Recoverability
  /** Why the text could not be judged at all. */
  readonly refusal?: RefusedText['code']
  readonly impact: Impact
  readonly protectedTable?: string
  readonly protectedColumns: readonly string[]
  /** Tables that lose rows, columns or themselves because the statement names them or their parent. */
  readonly directTables: readonly RelationName[]
  /** Tables that lose rows or themselves only because a cascade reaches them. */
  readonly cascadeTables: readonly RelationName[]
  /** Tables whose rows are overwritten or removed one by one: UPDATE, DELETE, MERGE. */
  readonly writtenTables: readonly RelationName[]
  /**
   * Partitioned tables that the statement names, and where groups of the policy ask for it those that the others are partitions
   * of; the tables that hold the rows are among the others.
   */
  readonly partitionedTables?: readonly RelationName[]
  /** Tables joined to all of these by foreign keys, in both directions; absent: not looked up. */
  readonly relatedTables?: readonly RelationName[]
}

/** What one rule says; no opinion is `undefined`. */
export interface RuleAnswer {
  readonly action: PolicyAction
  readonly reason: string
}

/** One rule of the decision: pure, and named for what it looks at. */
export interface PolicyRule {
  readonly id: string
  /** For the table of rules: one sentence. */
  readonly summary: string
  /** The fields that it obeys; empty: it always holds. */
  readonly fields: readonly (keyof Policy | 'BACKSTOP_POLICY_<LEVEL>')[]
  judge(facts: DecisionFacts, active: ActivePolicy): RuleAnswer | undefined
}

/** What has to be secured before a statement may destroy anything. */
export interface RecoveryPlan {
  readonly required: boolean
  /** Captured in the statement's own transaction, right before it runs; in order of name, none twice. */
  readonly captureTables: readonly RelationName[]
  /** Must have a valid recovery point no older than `maxAgeSeconds` before the statement is held or run. */
  readonly readyTables: readonly RelationName[]
  /** Those of them that are only of use together: each group needs points of one instant. None is in two of them. */
  readonly readyGroups: readonly (readonly RelationName[])[]
  /** 0: only a point that is captured for this statement. */
  readonly maxAgeSeconds: number
  /** Present when the background capture must be healthy; its heartbeat at most this old. */
  readonly maxHeartbeatSeconds?: number
  /** True: objects are read and hashed again now. False: the check after capture is enough. */
  readonly verifyObjects: boolean
}

/** A policy that took the place of another. */
export interface PolicyChange {
  readonly from: ActivePolicy
  readonly to: ActivePolicy
  readonly at: Instant
}

/** A new version that was refused; the policy before it is still in force. */
export interface PolicyRefusal {
  readonly at: Instant
  readonly message: string
  readonly problems: readonly PolicyProblem[]
}

export type PolicyReload =
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'changed'; readonly change: PolicyChange }
  | { readonly outcome: 'refused'; readonly refusal: PolicyRefusal }

/** Holds the policy in force. */
export interface PolicyKeeper {
  active(): ActivePolicy
  /** Read again, one reload after the other. Never throws: what cannot be taken is refused and the last good policy stays. */
  reload(): Promise<PolicyReload>
  /** The newest refusal, until a good version is read. */
  lastProblem(): PolicyRefusal | undefined
}
