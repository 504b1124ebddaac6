/** What an approval desk is opened with. */
import { BackstopError, MINUTE_MS } from '#lib/kernel/index.ts'
import type { Clock, Random, RecordStore } from '#lib/ports/index.ts'

export interface ApprovalLimits {
  /** How long a held statement waits for its decision. */
  readonly pendingMs: number
  /** How long an approval may be used after the decision. */
  readonly validAfterDecisionMs: number
  readonly maxPendingPerPrincipal: number
  /** How long decided, used and expired approvals are kept. */
  readonly retentionDays: number
  /** How often a waiting caller looks for a decision that another instance has taken. */
  readonly pollIntervalMs: number
}

export interface ApprovalDeskOptions extends Partial<ApprovalLimits> {
  readonly store: RecordStore
  readonly clock: Clock
  readonly random: Random
  /** Present in development only: principals may decide on their own requests, and every time this is told. */
  readonly selfApproval?: { warn(message: string): void }
}

const DEFAULT_APPROVAL_LIMITS: ApprovalLimits = {
  pendingMs: 60 * MINUTE_MS,
  validAfterDecisionMs: 15 * MINUTE_MS,
  maxPendingPerPrincipal: 50,
  retentionDays: 90,
  pollIntervalMs: 1_000,
}

/** More would not fit the record that holds a principal's open approvals. */
const MOST_PENDING = 500
const TEN_YEARS_DAYS = 3_653
const TEN_YEARS_MS = TEN_YEARS_DAYS * 24 * 60 * MINUTE_MS

const BOUNDS: Readonly<Record<keyof ApprovalLimits, readonly [least: number, most: number]>> = {
  pendingMs: [1, TEN_YEARS_MS],
  validAfterDecisionMs: [1, TEN_YEARS_MS],
  maxPendingPerPrincipal: [1, MOST_PENDING],
  retentionDays: [1, TEN_YEARS_DAYS],
  pollIntervalMs: [1, MINUTE_MS],
}

/** Throws CONFIG_INVALID naming the limit that is out of bounds. */
export function resolveLimits(options: Partial<ApprovalLimits>): ApprovalLimits {
  const limits: { -readonly [Name in keyof ApprovalLimits]: number } = { ...DEFAULT_APPROVAL_LIMITS }
  for (const name of Object.keys(BOUNDS) as (keyof ApprovalLimits)[]) {
    const value = options[name] ?? limits[name]
    const [least, most] = BOUNDS[name]
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw new BackstopError('CONFIG_INVALID', `${name} of approvals must be a whole number from ${least} to ${most}`)
    }
    limits[name] = value
  }
  return limits
}
