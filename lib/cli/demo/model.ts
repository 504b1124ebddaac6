/** The steps of the demonstration and the world that they act in. */
import type { Gateway } from '../gateway/index.ts'
import type { AskDatabase, CheckedClaim, Claim } from './claim.ts'

export type Actor = 'product' | 'agent' | 'operator'

/** What the command line answered to a child process with --json. */
export interface CliAnswer {
  readonly exitCode: number
  readonly data: Readonly<Record<string, unknown>>
}

/** What the gateway answered to `execute_query`. */
export interface AgentAnswer {
  readonly status: string
  readonly risk_level: string
  readonly message?: string
  readonly approval_id?: string
  readonly rows?: readonly Readonly<Record<string, unknown>>[]
  readonly recovery_points?: readonly {
    readonly snapshot_id: string
    readonly table: string
    readonly row_count: number
  }[]
  readonly safety_metadata: {
    readonly operation: string
    readonly policy_reason: string
    readonly estimated_affected_rows: number | null
    readonly impact_method: string
  }
}

/** The state of the payments before anything happened to them. */
export interface TableState {
  readonly rowCount: number
  /** Of every row in order, computed by the database in a way of its own. */
  readonly content: string
}

/** What later steps need of earlier ones. */
export interface DemoMemory {
  payments?: TableState
  dropApprovalId?: string
  snapshotId?: string
  copyback?: readonly string[]
}

export interface DemoWorld {
  readonly signal: AbortSignal
  readonly databaseUrl: string
  readonly databaseName: string
  readonly agent: Gateway
  readonly ops: Gateway
  readonly memory: DemoMemory
  /** Asks past the product, on a connection of its own. */
  readonly ask: AskDatabase
  /** Runs statements past the product, as a person with psql would. */
  runDirectly(statements: readonly string[]): Promise<void>
  execute(query: string, approvalId?: string): Promise<AgentAnswer>
  /** The real command as a child process. */
  cli(...args: string[]): Promise<CliAnswer>
}

export interface StepReport {
  /** What was typed or sent. */
  readonly input: string
  /** What came back, in one line. */
  readonly answer: string
  readonly claims: readonly Claim[]
}

export interface DemoStep {
  readonly id: string
  readonly title: string
  readonly actor: Actor
  run(world: DemoWorld): Promise<StepReport>
}

export interface CheckedStep {
  readonly id: string
  readonly title: string
  readonly actor: Actor
  readonly input: string
  readonly answer: string
  readonly ok: boolean
  readonly duration_ms: number
  readonly claims: readonly CheckedClaim[]
}
