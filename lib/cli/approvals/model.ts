/** An approval as the gateway shows it, as far as it is shown here. */
import type { RiskLevel } from '#lib/kernel/index.ts'

export interface ShownApproval {
  readonly id: string
  readonly status: string
  readonly query: string
  /** Values of $1, $2, …, as far as the gateway shows them. */
  readonly parameters?: readonly (string | number | boolean | null)[]
  readonly agent_id: string
  readonly principal: string
  readonly risk_level: RiskLevel
  readonly operation: string
  readonly schema: string | null
  readonly table: string | null
  readonly agent_reason: string | null
  readonly created_at: string
  readonly expires_at: string
  readonly recovery_points: readonly string[]
  readonly safety_metadata: {
    readonly policy_reason: string
    readonly estimated_affected_rows: number | null
    readonly impact_method: string
  }
  readonly decided_at?: string | null
  readonly decided_by?: string | null
  readonly comment?: string | null
  readonly message?: string
}
