import { createHash } from 'node:crypto'
import type { SqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import type { ApprovalBinding, ApprovalDeskOptions, ApprovalRequest } from '#lib/gate/approval/index.ts'
import { openApprovalDesk } from '#lib/gate/approval/index.ts'
import { sha256Hex } from '#lib/kernel/index.ts'
import type { Clock, Random } from '#lib/ports/index.ts'

/** A clock whose wall time can jump while its monotonic time only advances. */
export interface JumpingClock extends Clock {
  advance(byMs: number): void
  jump(byMs: number): void
}

export const START_MS = 1_800_000_000_000

export function createJumpingClock(): JumpingClock {
  let wallMs = START_MS
  let monotonicMs = 0
  return {
    nowMs: () => wallMs,
    monotonicMs: () => monotonicMs,
    advance(byMs) {
      wallMs += byMs
      monotonicMs += byMs
    },
    jump(byMs) {
      wallMs += byMs
    },
  }
}

/** Different bytes at every call, the same ones in every run. */
export function createCountingRandom(seed = ''): Random {
  let calls = 0
  return { bytes: (count) => createHash('shake256', { outputLength: count }).update(`${seed}${calls++}`).digest() }
}

export function bindingOf(changes: Partial<ApprovalBinding> = {}): ApprovalBinding {
  return {
    principal: 'agent-token',
    agentId: 'agent-1',
    statementSha256: sha256Hex('DROP TABLE users'),
    parametersSha256: sha256Hex('[]'),
    database: 'localhost:5432/shop',
    relations: ['16384:public.users'],
    functions: [],
    policyVersion: sha256Hex('policy'),
    recoveryPoints: ['snap_1'],
    ...changes,
  }
}

export function requestOf(
  binding: Partial<ApprovalBinding> = {},
  changes: Partial<ApprovalRequest> = {},
): ApprovalRequest {
  return {
    binding: bindingOf(binding),
    statement: 'DROP TABLE users',
    riskLevel: 'CRITICAL',
    operation: 'DROP TABLE',
    schema: 'public',
    table: 'users',
    policyReason: 'CRITICAL SQL requires approval',
    impactMethod: 'not-applicable',
    ...changes,
  }
}

export interface OpenedDesk {
  readonly store: SqliteRecordStore
  readonly clock: JumpingClock
  /** Another desk on the same store, as after a restart or in another instance. */
  reopen(changes?: Partial<ApprovalDeskOptions>): ReturnType<typeof openApprovalDesk>
  readonly desk: ReturnType<typeof openApprovalDesk>
}

export const PENDING_MS = 60_000
export const VALID_MS = 10_000

export function openDesk(changes: Partial<ApprovalDeskOptions> = {}): OpenedDesk {
  const clock = createJumpingClock()
  const store = openSqliteRecordStore({ path: ':memory:', clock: { nowMs: () => START_MS, monotonicMs: () => 0 } })
  let desks = 0
  const reopen = (more: Partial<ApprovalDeskOptions> = {}) =>
    openApprovalDesk({
      store,
      clock,
      random: createCountingRandom(`${desks++}/`),
      pendingMs: PENDING_MS,
      validAfterDecisionMs: VALID_MS,
      pollIntervalMs: 5,
      ...changes,
      ...more,
    })
  return { store, clock, reopen, desk: reopen() }
}
