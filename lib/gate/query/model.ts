/** What an agent asks and what it is told; field names as the public pages fix them. */
import type { JsonValue, RiskLevel } from '#lib/kernel/index.ts'
import type { PolicyAction } from '../policy/index.ts'

/** An authenticated caller. `name` is the token's id, never what the caller says of itself. */
export interface Principal {
  readonly name: string
  readonly scopes: readonly string[]
  /** Empty: any agent id. */
  readonly agentIds: readonly string[]
}

export interface QueryRequest {
  readonly query: string
  readonly agentId: string
  readonly parameters?: readonly (string | number | boolean | null)[]
  /** A ticket from an earlier `approval_required`. Without it a matching approval is found by the statement itself. */
  readonly approvalId?: string
  /** The agent's own words for the approver, at most 500 characters. */
  readonly reason?: string
  /** Ties the caller's request to the ledger. */
  readonly correlationId?: string
  readonly signal?: AbortSignal
}

export interface SafetyMetadata {
  readonly risk_level: RiskLevel
  readonly operation: string
  readonly table: string | null
  readonly schema: string | null
  readonly table_recoverable: boolean
  readonly recovery_required: boolean
  readonly recovery_possible: boolean
  readonly policy_action: PolicyAction
  readonly policy_reason: string
  readonly requires_approval: boolean
  readonly parse_error_present: boolean
  readonly parse_error?: string
  readonly estimated_affected_rows: number | null
  readonly estimated_table_rows: number | null
  readonly affected_percent: number | null
  readonly impact_method: string
  readonly protected_table: string | null
  readonly protected_columns: readonly string[]
  readonly findings: readonly { readonly code: string; readonly level: RiskLevel; readonly message: string }[]
  readonly environment: string
  readonly cluster_id: string
}

/** Whether the write can be reversed with `backstop undo <audit_id>`, and if not, why. */
export type UndoAnswer =
  | { readonly available: true; readonly audit_id: string; readonly row_count: number }
  | { readonly available: false; readonly reason: string }

interface AnswerBase {
  readonly risk_level: RiskLevel
  readonly safety_metadata: SafetyMetadata
  readonly audit_id: string | null
}

export interface RowsAnswer extends AnswerBase {
  readonly status: 'executed'
  readonly result_type: 'rows'
  readonly columns: readonly string[]
  readonly row_count: number
  readonly rows: readonly Readonly<Record<string, JsonValue>>[]
  /** Present when something was left out, and says what. */
  readonly truncated?: { readonly by: 'rows' | 'bytes'; readonly limit: number; readonly message: string }
  readonly rows_affected?: number
  readonly approval_id?: string
  readonly recovery_points?: readonly RecoveryPointAnswer[]
  readonly undo?: UndoAnswer
}

export interface CommandAnswer extends AnswerBase {
  readonly status: 'executed'
  readonly result_type: 'command'
  readonly command: string
  readonly rows_affected: number
  readonly approval_id?: string
  readonly recovery_points?: readonly RecoveryPointAnswer[]
  readonly undo?: UndoAnswer
}

export interface RecoveryPointAnswer {
  readonly snapshot_id: string
  readonly table: string
  readonly schema: string
  readonly timestamp: string
  readonly row_count: number
  readonly manifest_key: string
  /** Present when it was taken with others at one instant: they are restored together. */
  readonly set_id?: string
}

export interface HeldAnswer extends AnswerBase {
  readonly status: 'approval_required'
  readonly approval_id: string
  readonly expires_at: string
  readonly message: string
}

export interface RefusedAnswer extends AnswerBase {
  readonly status: 'blocked' | 'denied'
  readonly message: string
  readonly approval_id?: string
}

export interface FailedAnswer extends AnswerBase {
  readonly status: 'failed'
  readonly error: {
    readonly code: string
    readonly message: string
    readonly hint: string
    readonly sql_state?: string
  }
  /** `rolled-back`: nothing changed. `unknown`: the connection broke during COMMIT; look before repeating. */
  readonly effect: 'none' | 'rolled-back' | 'unknown'
  readonly approval_id?: string
}

/** An approved statement that outlives its request: it runs on, and the same call collects its answer. */
export interface ExecutingAnswer extends AnswerBase {
  readonly status: 'executing'
  readonly approval_id: string
  readonly message: string
}

export type QueryAnswer = RowsAnswer | CommandAnswer | HeldAnswer | RefusedAnswer | FailedAnswer | ExecutingAnswer

export interface AnalyzeAnswer {
  readonly status: 'analyzed'
  readonly risk_level: RiskLevel
  readonly safety_metadata: SafetyMetadata
  readonly message: string
}

/** The gate's main door. */
export interface QueryGate {
  execute(principal: Principal, request: QueryRequest): Promise<QueryAnswer>
  /** No effect, no approval; reads the catalog and counts, within the assessment's time limit. */
  analyze(principal: Principal, request: QueryRequest): Promise<AnalyzeAnswer>
}

/** The door with what its owner does at the end. */
export interface OpenQueryGate extends QueryGate {
  /** Resolves when every outcome that callers did not wait for is written. */
  settled(): Promise<void>
}
