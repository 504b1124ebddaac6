/** A gate in memory that answers by the statement's first word, for tests of the HTTP interface alone. */
import type { ApprovalDesk, Principal, QueryAnswer, QueryGate, QueryRequest, SafetyMetadata } from '#lib/gate/index.ts'
import { heldRequest } from './in-memory-approvals.ts'

const SAFETY: SafetyMetadata = {
  risk_level: 'SAFE',
  operation: 'SELECT',
  table: null,
  schema: null,
  table_recoverable: false,
  recovery_required: false,
  recovery_possible: false,
  policy_action: 'execute',
  policy_reason: 'SAFE SQL may execute immediately',
  requires_approval: false,
  parse_error_present: false,
  estimated_affected_rows: null,
  estimated_table_rows: null,
  affected_percent: null,
  impact_method: 'not-applicable',
  protected_table: null,
  protected_columns: [],
  findings: [],
  environment: 'test',
  cluster_id: 'test',
}
const BASE = { risk_level: 'SAFE', safety_metadata: SAFETY, audit_id: 'aud_1' } as const

export interface GateCall {
  readonly principal: Principal
  readonly request: QueryRequest
}

export class InMemoryGate implements QueryGate {
  readonly calls: GateCall[] = []
  /** Replaces the answer of the next call. */
  next: (() => Promise<QueryAnswer>) | undefined
  readonly #approvals: ApprovalDesk

  constructor(approvals: ApprovalDesk) {
    this.#approvals = approvals
  }

  async execute(principal: Principal, request: QueryRequest): Promise<QueryAnswer> {
    this.calls.push({ principal, request })
    const next = this.next
    this.next = undefined
    if (next !== undefined) return next()
    if (!request.query.startsWith('DROP')) {
      return { ...BASE, status: 'executed', result_type: 'rows', columns: ['one'], row_count: 1, rows: [{ one: 1 }] }
    }
    if (request.approvalId === undefined) return this.#hold(principal, request)
    const approval = await this.#approvals.find(request.approvalId)
    if (approval?.state === 'approved') {
      return { ...BASE, status: 'executed', result_type: 'command', command: 'DROP TABLE', rows_affected: 0 }
    }
    return { ...BASE, status: 'denied', message: 'denied by an operator' }
  }

  async #hold(principal: Principal, request: QueryRequest): Promise<QueryAnswer> {
    const { id, expiresAt } = await this.#approvals.hold(heldRequest(principal.name, request.query))
    return { ...BASE, status: 'approval_required', approval_id: id, expires_at: expiresAt, message: 'held' }
  }

  async analyze(principal: Principal, request: QueryRequest) {
    this.calls.push({ principal, request })
    return { status: 'analyzed', risk_level: 'SAFE', safety_metadata: SAFETY, message: 'would run' } as const
  }
}
