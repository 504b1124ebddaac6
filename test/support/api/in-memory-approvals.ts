/** An approval desk in memory, for tests of the HTTP interface alone. The real one is tested in its own part. */
import type { Approval, ApprovalDesk, ApprovalRequest } from '#lib/gate/index.ts'
import type { ApprovalId, Instant, Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'

const AT = '2030-01-01T00:00:00.000Z' as Instant
const DIGEST = 'a'.repeat(64) as Sha256Hex

export function heldRequest(principal: string, statement: string): ApprovalRequest {
  return {
    binding: {
      principal,
      agentId: 'agent-1',
      statementSha256: DIGEST,
      parametersSha256: DIGEST,
      database: 'shop',
      relations: ['16384:public.users'],
      functions: [],
      policyVersion: DIGEST,
      recoveryPoints: ['snap_00000000000000000000000000000001'],
    },
    statement,
    agentReason: 'cleaning up',
    riskLevel: 'CRITICAL',
    operation: 'DROP TABLE',
    schema: 'public',
    table: 'users',
    policyReason: 'CRITICAL SQL requires approval',
    estimatedRows: 12,
    impactMethod: 'counted',
    snapshotAgeSeconds: 40,
  }
}

export class InMemoryApprovals implements ApprovalDesk {
  readonly byId = new Map<string, Approval>()
  readonly #waiters = new Set<() => void>()

  get waiterCount(): number {
    return this.#waiters.size
  }

  async hold(request: ApprovalRequest): Promise<Approval> {
    const id = `appr_${String(this.byId.size + 1).padStart(32, '0')}` as ApprovalId
    const approval: Approval = { ...request, id, state: 'pending', createdAt: AT, expiresAt: AT, version: 1 }
    this.byId.set(id, approval)
    return approval
  }

  async find(id: string) {
    return this.byId.get(id)
  }

  async findFor() {
    return undefined
  }

  async list({ state, limit = 100, cursor = '0' }: { state?: string; limit?: number; cursor?: string }) {
    const start = Number(cursor)
    const all = [...this.byId.values()].reverse().filter((approval) => state === undefined || approval.state === state)
    const end = start + Math.min(limit, 3)
    return { approvals: all.slice(start, end), ...(end < all.length ? { cursor: String(end) } : {}) }
  }

  async decide(id: string, decision: { outcome: 'approved' | 'denied'; decidedBy: string; comment?: string }) {
    const approval = this.byId.get(id)
    if (approval === undefined) throw new BackstopError('APPROVAL_MISSING', 'no approval has this id')
    if (approval.binding.principal === decision.decidedBy) throw new BackstopError('APPROVAL_SELF', 'own request')
    if (approval.decision !== undefined) {
      const { outcome, decidedBy, decidedAt } = approval.decision
      throw new BackstopError('APPROVAL_DECIDED', 'decided before', { details: { outcome, decidedBy, decidedAt } })
    }
    const decided: Approval = { ...approval, state: decision.outcome, decision: { ...decision, decidedAt: AT } }
    this.byId.set(id, decided)
    for (const wake of this.#waiters) wake()
    return decided
  }

  async claim(): Promise<never> {
    throw new Error('not part of the HTTP interface')
  }

  wait(id: string, _timeoutMs: number, signal?: AbortSignal): Promise<Approval> {
    return new Promise((resolve) => {
      const wake = (): void => {
        const approval = this.byId.get(id)
        if (approval === undefined || (approval.state === 'pending' && !signal?.aborted)) return
        this.#waiters.delete(wake)
        resolve(approval)
      }
      this.#waiters.add(wake)
      signal?.addEventListener('abort', wake)
      wake()
    })
  }

  async expireDue() {
    return 0
  }
}
