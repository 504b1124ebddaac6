/** Carries out one order for a capture: at most one worker at a time, and nothing where the need is met already. */
import type { Instant, RelationName } from '#lib/kernel/index.ts'
import { BackstopError, ID_BYTES, instantFrom, isBackstopError, quoteRelation } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import { CLOCK_SKEW_MS } from '../catalog/index.ts'
import { describeFailure } from '../failure.ts'
import type { StopOptions } from '../stoppable.ts'
import { readCounters } from './counters.ts'
import { readTables } from './look.ts'
import type { CaptureOrder, CaptureOutcome, RoundFailure, RoundPorts } from './model.ts'
import { isYoung } from './plan.ts'
import { proveNewest } from './prove-newest.ts'
import type { CaptureState } from './state.ts'
import { changeState, isLeaseLive, LEASE_MS } from './state.ts'

const GONE_STATES: ReadonlySet<string> = new Set(['42P01', '3F000'])

/**
 * Idempotent: an order that is delivered twice, late, or beside another worker copies the table once. `maybe-changed`: only when
 * the table is not as its newest point has it.
 *
 * Effects: one recovery point, or a note of the failure that every later plan sees
 * Throws:  `METADATA_UNREACHABLE`; `DATABASE_UNREACHABLE` once the failure is noted: then no other table can be captured either
 */
export async function captureOne(ports: RoundPorts, order: CaptureOrder, stop: StopOptions): Promise<CaptureOutcome> {
  const holder = Buffer.from(ports.random.bytes(ID_BYTES)).toString('hex')
  const met = await claim(ports, order, holder)
  if (met !== undefined) return met
  const renewal = setInterval(() => void renew(ports, order.relation, holder).catch(() => undefined), LEASE_MS / 3)
  renewal.unref()
  try {
    const proven = order.because === 'maybe-changed' ? await proveNewest(ports, order, stop) : undefined
    const [point, ...others] = proven === undefined ? await capture(ports, order, stop) : [proven.point]
    // After the copy: what was written since shows as equal here, and in the next comparison.
    const counters = await readCounters(ports.database, point.relationOid)
    await noteDone(ports, order, holder, point, { counters, stateMark: proven?.stateMark ?? null })
    if (proven !== undefined) return { status: 'confirmed', point }
    return others.length === 0 ? { status: 'captured', point } : { status: 'captured', point, others }
  } catch (error) {
    return await noteFailure(ports, order, holder, error)
  } finally {
    clearInterval(renewal)
  }
}

/** The table's own point first. */
async function capture(
  ports: RoundPorts,
  order: CaptureOrder,
  stop: StopOptions,
): Promise<readonly [RecoveryPoint, ...RecoveryPoint[]]> {
  const points = await ports.copy(order, stop)
  const own = points.find((point) => quoteRelation(point.relation) === quoteRelation(order.relation))
  if (own === undefined) throw new BackstopError('BUG', 'the set lacks the table that it was ordered for')
  return [own, ...points.filter((point) => point !== own)]
}

/** Undefined: the table is ours to capture. */
async function claim(ports: RoundPorts, order: CaptureOrder, holder: string): Promise<CaptureOutcome | undefined> {
  let met: CaptureOutcome | undefined
  const nowMs = ports.clock.nowMs()
  await changeState(ports.records, order.relation, nowMs, async (state) => {
    met = await findOutcome(ports, order, state, nowMs)
    return met === undefined ? { ...state, lease: leaseFrom(holder, nowMs, instantFrom(nowMs)) } : undefined
  })
  return met
}

async function findOutcome(
  ports: RoundPorts,
  order: CaptureOrder,
  state: CaptureState,
  nowMs: number,
): Promise<CaptureOutcome | undefined> {
  if (state.lease !== undefined && isLeaseLive(state, nowMs)) return { status: 'busy', until: state.lease.until }
  if (state.done?.dedupeKey === order.dedupeKey) {
    const point = await ports.catalog.find(state.done.snapshotId)
    if (point?.status === 'valid') return { status: 'fresh', point }
  }
  const newest = await ports.catalog.findNewestValid(order.relation, instantFrom(nowMs + CLOCK_SKEW_MS))
  const isSame = newest !== undefined && newest.relationOid === order.relationOid
  return isSame && isYoung(newest, order.minimumAgeMs, nowMs) ? { status: 'fresh', point: newest } : undefined
}

function leaseFrom(holder: string, nowMs: number, startedAt: Instant) {
  return { holder, startedAt, until: instantFrom(nowMs + LEASE_MS) }
}

async function renew(ports: RoundPorts, relation: RelationName, holder: string): Promise<void> {
  const nowMs = ports.clock.nowMs()
  await changeState(ports.records, relation, nowMs, ({ lease, ...state }) =>
    lease?.holder === holder ? { ...state, lease: leaseFrom(holder, nowMs, lease.startedAt) } : undefined,
  )
}

/** A lease that ran out in the middle may be another worker's by now. */
function withoutLease({ lease, ...state }: CaptureState, holder: string): CaptureState {
  return lease === undefined || lease.holder === holder ? state : { ...state, lease }
}

async function noteDone(
  ports: RoundPorts,
  order: CaptureOrder,
  holder: string,
  point: RecoveryPoint,
  found: { readonly counters: string | undefined; readonly stateMark: string | null },
): Promise<void> {
  const nowMs = ports.clock.nowMs()
  const done = { dedupeKey: order.dedupeKey, snapshotId: point.snapshotId, at: instantFrom(nowMs) }
  await changeState(ports.records, order.relation, nowMs, (state) => {
    const { failure: _failure, proof, ...rest } = withoutLease(state, holder)
    const isSame = proof?.snapshotId === point.snapshotId
    const { counters, stateMark } = found
    return {
      ...rest,
      done,
      proof: {
        snapshotId: point.snapshotId,
        stateMark,
        ...(counters === undefined ? {} : { counters }),
        // A point that was there before was found equal now.
        timesEqual: isSame ? proof.timesEqual + 1 : point.confirmedAt === undefined ? 0 : 1,
      },
    }
  })
}

async function noteFailure(
  ports: RoundPorts,
  order: CaptureOrder,
  holder: string,
  error: unknown,
): Promise<CaptureOutcome> {
  if (isBackstopError(error, 'METADATA_UNREACHABLE')) throw error
  const nowMs = ports.clock.nowMs()
  if (await isGone(ports, order.relation, error)) {
    await changeState(ports.records, order.relation, nowMs, ({ relation }) => ({ relation }))
    return { status: 'gone' }
  }
  const { code, reason } = describeFailure(error, { '42501': 'TABLE_UNREADABLE' })
  let times = 1
  await changeState(ports.records, order.relation, nowMs, (state) => {
    times = (state.failure?.times ?? 0) + 1
    return { ...withoutLease(state, holder), failure: { code, reason, at: instantFrom(nowMs), times } }
  })
  if (isBackstopError(error, 'DATABASE_UNREACHABLE')) throw error
  const failure: RoundFailure = { relation: order.relation, code, reason, times }
  const leftover = isBackstopError(error) ? error.details['leftover'] : undefined
  return { status: 'failed', failure, times, ...(typeof leftover === 'string' ? { leftover } : {}) }
}

/** A table that was dropped between plan and capture, or in the middle of it, is no failure. */
async function isGone(ports: RoundPorts, relation: RelationName, error: unknown): Promise<boolean> {
  if (isBackstopError(error, 'DATABASE_UNREACHABLE')) return false
  if (isBackstopError(error, 'TABLE_MISSING')) return true
  if (error instanceof StatementError && GONE_STATES.has(error.failure.sqlState)) return true
  const { tables } = await readTables(ports.database)
  return !tables.some((table) => quoteRelation(table.relation) === quoteRelation(relation))
}
