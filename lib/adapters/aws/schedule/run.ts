/** A task that the platform starts by the clock, perhaps twice and perhaps beside itself: here it runs alone. */
import { isBackstopError } from '#lib/kernel/index.ts'
import type { Clock, RecordStore } from '#lib/ports/index.ts'
import type { TaskState } from './lease.ts'
import { buildStateWrite, decideLease, endRun, readState, scheduleKey } from './lease.ts'

export interface ScheduledRun {
  readonly name: string
  /** Longer than the function may take: a run that was cut off keeps the task from running until this has passed. */
  readonly leaseMs: number
  /** The event's id: one that was done with success is not done again when it is delivered again. */
  readonly occurrence?: string
}

export type ScheduledOutcome<T> =
  /** `isReleased` false: the lease could not be given back, or had run out and is another's by now; it ends by itself. */
  | { readonly status: 'ran'; readonly value: T; readonly isReleased: boolean }
  /** `held`: another run is in hand. `repeated`: this event was done before. */
  | { readonly status: 'skipped'; readonly reason: 'held' | 'repeated' }

/**
 * Run a task unless it runs already.
 *
 * Invariants: of several that start at once one runs; who lost the lease in the meantime gives back nobody else's
 * Effects:    the record of the task in the partition `schedule`, before and after the run
 * Throws:     what the task threw, after it was counted; METADATA_UNREACHABLE, and then the task has not run
 */
export async function runScheduled<T>(
  records: RecordStore,
  clock: Clock,
  scheduled: ScheduledRun,
  run: () => Promise<T>,
): Promise<ScheduledOutcome<T>> {
  const { name, leaseMs, occurrence } = scheduled
  const found = await records.find(scheduleKey(name))
  const nowMs = clock.nowMs()
  const decision = decideLease(readState(found), { leaseMs, nowMs, ...(occurrence !== undefined && { occurrence }) })
  if (decision.kind === 'skip') return { status: 'skipped', reason: decision.reason }
  const version = await take(records, name, decision.state, found?.version ?? 0)
  if (version === undefined) return { status: 'skipped', reason: 'held' }
  const giveBack = (result: 'succeeded' | 'failed') =>
    release(records, name, endRun(decision.state, result, clock.nowMs(), occurrence), version)
  try {
    const value = await run()
    return { status: 'ran', value, isReleased: await giveBack('succeeded') }
  } catch (error) {
    await giveBack('failed')
    throw error
  }
}

/** The record's version under this lease; undefined when another was first. */
async function take(
  records: RecordStore,
  name: string,
  state: TaskState,
  expectedVersion: number,
): Promise<number | undefined> {
  try {
    return await records.write(buildStateWrite(name, state, expectedVersion))
  } catch (error) {
    if (isBackstopError(error, 'RECORD_CHANGED') || isBackstopError(error, 'RECORD_EXISTS')) return undefined
    throw error
  }
}

/** Never throws: what the run did stands, and the lease ends by itself. */
async function release(records: RecordStore, name: string, state: TaskState, version: number): Promise<boolean> {
  return await records.write(buildStateWrite(name, state, version)).then(
    () => true,
    () => false,
  )
}
