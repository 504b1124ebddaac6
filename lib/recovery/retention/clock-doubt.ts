/** Removes nothing while the clock may be wrong: what is deleted by a wrong date does not come back when the date does. */
import { z } from 'zod'
import type { Instant } from '#lib/kernel/index.ts'
import { epochMsOf, instantFrom, MINUTE_MS, retryConflicts } from '#lib/kernel/index.ts'
import type { RecordKey, RecordStore } from '#lib/ports/index.ts'
import { CLOCK_SKEW_MS } from '../catalog/index.ts'

const HOUR_MS = 60 * MINUTE_MS
/** Runs are a day apart at most; more than twice that is a clock that jumped, or a product that stood still. */
const LONGEST_GAP_MS = 48 * HOUR_MS
/** A new time that has lasted so long is believed. */
const SETTLED_AFTER_MS = 20 * HOUR_MS

const KEY: RecordKey = { partition: 'recovery-retention', sort: 'clock' }
const instant = z.string().transform((text) => text as Instant)
const stateSchema = z.object({
  /** The last run that was allowed to remove. */
  runAt: instant.optional(),
  /** Since when the clock has been going on from where it jumped to. */
  doubtedSince: instant.optional(),
})

export type ClockState = z.infer<typeof stateSchema>

export interface ClockVerdict {
  readonly isTrusted: boolean
  readonly state: ClockState
  /** Why not. */
  readonly reason?: string
}

/**
 * `knownAt`: an instant that is known to have been, when there has been no run yet.
 *
 * Effects: pure
 */
export function judgeClock(state: ClockState, knownAt: Instant | undefined, nowMs: number): ClockVerdict {
  const now = instantFrom(nowMs)
  const before = state.runAt ?? knownAt
  if (before === undefined || isClose(before, nowMs, LONGEST_GAP_MS)) return { isTrusted: true, state: { runAt: now } }
  const since = state.doubtedSince
  const isGoingOn = since !== undefined && isClose(since, nowMs, LONGEST_GAP_MS)
  if (isGoingOn && nowMs - epochMsOf(since) >= SETTLED_AFTER_MS) return { isTrusted: true, state: { runAt: now } }
  const hours = Math.round((nowMs - epochMsOf(before)) / HOUR_MS)
  return {
    isTrusted: false,
    state: { ...(state.runAt === undefined ? {} : { runAt: state.runAt }), doubtedSince: isGoingOn ? since : now },
    reason:
      `the clock is ${hours} hours from the last run of retention; when it has gone on from here for ` +
      `${SETTLED_AFTER_MS / HOUR_MS} hours a run removes again, or at once with --trust-clock`,
  }
}

export async function readClockState(records: RecordStore): Promise<ClockState> {
  const read = stateSchema.safeParse((await records.find(KEY))?.body)
  return read.success ? read.data : {}
}

export async function writeClockState(records: RecordStore, state: ClockState): Promise<void> {
  await retryConflicts(async () => {
    const current = await records.find(KEY)
    const record = { key: KEY, body: { ...state } }
    if (current === undefined) await records.write({ kind: 'create', record })
    else await records.write({ kind: 'replace', record, expectedVersion: current.version })
  })
}

function isClose(at: Instant, nowMs: number, mostMs: number): boolean {
  const gapMs = nowMs - epochMsOf(at)
  return gapMs >= -CLOCK_SKEW_MS && gapMs <= mostMs
}
