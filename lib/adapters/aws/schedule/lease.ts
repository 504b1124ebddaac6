/** Who runs a scheduled task now, until when, and how its runs went: one record per task. */
import type { Instant, JsonObject } from '#lib/kernel/index.ts'
import { epochMsOf, instantFrom, MINUTE_MS } from '#lib/kernel/index.ts'
import type { RecordKey, RecordWrite, StoredRecord } from '#lib/ports/index.ts'

export interface TaskState {
  /** The run in hand ends by then, or its process has; absent when none is in hand. */
  readonly leasedUntil?: Instant
  readonly startedAt?: Instant
  readonly succeededAt?: Instant
  readonly failedAt?: Instant
  readonly runCount: number
  readonly failureCount: number
  /** Since the last run that succeeded. */
  readonly failuresInARow: number
  /** The last event that was done with success. */
  readonly occurrence?: string
}

/** Clocks of two machines are never further apart than this, unless one of them is wrong. */
const MAX_SKEW_MS = MINUTE_MS

const FRESH: TaskState = { runCount: 0, failureCount: 0, failuresInARow: 0 }

export function scheduleKey(name: string): RecordKey {
  return { partition: 'schedule', sort: name }
}

export function readState(record: StoredRecord | undefined): TaskState {
  return record === undefined ? FRESH : (record.body as unknown as TaskState)
}

export function buildStateWrite(name: string, state: TaskState, expectedVersion: number): RecordWrite {
  const record = { key: scheduleKey(name), body: { ...state } as unknown as JsonObject }
  return expectedVersion === 0 ? { kind: 'create', record } : { kind: 'replace', record, expectedVersion }
}

export interface LeaseRequest {
  readonly leaseMs: number
  readonly nowMs: number
  readonly occurrence?: string
}

export type LeaseDecision =
  | { readonly kind: 'take'; readonly state: TaskState }
  | { readonly kind: 'skip'; readonly reason: 'held' | 'repeated' }

/**
 * Whether this run may begin.
 *
 * Invariants: a lease that ends further away than any clock but a wrong one would have written counts for nothing: it would
 *             stop the task for as long as that clock was ahead
 */
export function decideLease(state: TaskState, { leaseMs, nowMs, occurrence }: LeaseRequest): LeaseDecision {
  if (occurrence !== undefined && state.occurrence === occurrence) return { kind: 'skip', reason: 'repeated' }
  const leftMs = state.leasedUntil === undefined ? 0 : epochMsOf(state.leasedUntil) - nowMs
  if (leftMs > 0 && leftMs <= leaseMs + MAX_SKEW_MS) return { kind: 'skip', reason: 'held' }
  const startedAt = instantFrom(nowMs)
  const leasedUntil = instantFrom(nowMs + leaseMs)
  return { kind: 'take', state: { ...state, startedAt, leasedUntil, runCount: state.runCount + 1 } }
}

/** What the record says after the run; the lease is given back. */
export function endRun(
  { leasedUntil: _, ...state }: TaskState,
  result: 'succeeded' | 'failed',
  nowMs: number,
  occurrence?: string,
): TaskState {
  const at = instantFrom(nowMs)
  if (result === 'succeeded') {
    return { ...state, succeededAt: at, failuresInARow: 0, ...(occurrence !== undefined && { occurrence }) }
  }
  const { failureCount, failuresInARow } = state
  return { ...state, failedAt: at, failureCount: failureCount + 1, failuresInARow: failuresInARow + 1 }
}
