/** Carries out what retention has planned: marks, takes manifests away, then parts, then records; each step may be the last. */
import type { Instant } from '#lib/kernel/index.ts'
import { instantFrom, isBackstopError } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { enterUnnoted } from '../catalog/index.ts'
import { describeFailure } from '../failure.ts'
import { isTrusted, newestFirst } from './age.ts'
import { EVERY_REMOVAL, RUN_IN_HAND } from './alerts.ts'
import { judgeClock, readClockState, writeClockState } from './clock-doubt.ts'
import { readFacts } from './facts.ts'
import type {
  RemovablePoint,
  RemovedPoint,
  RetentionFailure,
  RetentionPlan,
  RetentionPorts,
  RetentionReport,
  RetentionRequest,
} from './model.ts'
import { planRetention } from './plan.ts'
import type { RemovedObjects } from './remove-point.ts'
import { reinstateWhole, removeManifest, removeRest, retirePoint } from './remove-point.ts'
import type { RunLease } from './run-lease.ts'
import { withRunLease } from './run-lease.ts'
import { sweepLeftovers } from './sweep.ts'

/** Units that are removed at the same time: each is a few requests to a store that may be far away. */
const AT_ONCE = 8
/** A storage that refuses so often in one run will refuse the rest as well. */
const MOST_FAILURES = 10
/** Of the points that stay, so many manifests are looked for to see that this is the storage that the catalog is about. */
const PROBES = 5

interface Work {
  readonly removed: RemovedPoint[]
  readonly failed: RetentionFailure[]
  readonly skipped: { subject: string; reason: string }[]
}

/**
 * Remove what the policy does not keep.
 *
 * Invariants: a point is not offered any more before anything of it is gone; a run that was killed, or one beside another, harms
 *             nothing; what the storage refuses is in the report
 * Throws:     `METADATA_UNREACHABLE`, `STORAGE_UNREACHABLE`
 */
export async function runRetention(ports: RetentionPorts, request: RetentionRequest): Promise<RetentionReport> {
  if (request.isDryRun === true) return await runOnce(ports, request, undefined)
  const report = await withRunLease(ports, (lease) => runOnce(ports, request, lease))
  return report ?? nothingDone({ keep: [], remove: [] }, false, RUN_IN_HAND)
}

/** Without a lease nothing is removed. */
async function runOnce(
  ports: RetentionPorts,
  request: RetentionRequest,
  lease: RunLease | undefined,
): Promise<RetentionReport> {
  const nowMs = ports.clock.nowMs()
  const isDryRun = lease === undefined
  // What a killed capture left whole is judged like any other.
  if (!isDryRun) await enterUnnoted(ports)
  const facts = await readFacts(ports, request, nowMs)
  const plan = planRetention(facts, request.policy, nowMs)
  const obstacle = (await doubtOf(ports, request, facts.points, nowMs)) ?? (await strangeStorage(ports, plan))
  if (obstacle !== undefined) return nothingDone(plan, isDryRun, obstacle)
  const work: Work = { removed: [], failed: [], skipped: [] }
  if (lease === undefined) work.removed.push(...plan.remove.map((one) => removedPoint(one, sizeInCatalog(one.point))))
  else await removeAll(ports, plan, request, lease, work)
  const { swept, failed, skipped } = await sweepLeftovers(ports, isDryRun, request.signal)
  return {
    isDryRun,
    kept: plan.keep,
    removed: work.removed.sort((left, right) => (left.capturedAt < right.capturedAt ? -1 : 1)),
    swept,
    failed: [...work.failed, ...failed],
    skipped: [...work.skipped, ...skipped],
  }
}

function nothingDone(plan: RetentionPlan, isDryRun: boolean, reason: string): RetentionReport {
  const skipped = [{ subject: EVERY_REMOVAL, reason }]
  return { isDryRun, kept: plan.keep, removed: [], swept: [], failed: [], skipped }
}

/** Why the clock is not to be believed. A dry run leaves no trace of itself. */
async function doubtOf(
  ports: RetentionPorts,
  request: RetentionRequest,
  points: readonly RecoveryPoint[],
  nowMs: number,
): Promise<string | undefined> {
  const verdict = judgeClock(await readClockState(ports.records), newestInstant(points, nowMs), nowMs)
  const isTrusted = verdict.isTrusted || request.isClockTrusted === true
  const state = isTrusted ? { runAt: instantFrom(nowMs) } : verdict.state
  if (request.isDryRun !== true) await writeClockState(ports.records, state)
  return isTrusted ? undefined : verdict.reason
}

function newestInstant(points: readonly RecoveryPoint[], nowMs: number): Instant | undefined {
  const instants = points.flatMap(({ capturedAt, confirmedAt }) => [capturedAt, ...(confirmedAt ? [confirmedAt] : [])])
  return instants
    .filter((at) => isTrusted(at, nowMs))
    .sort()
    .at(-1)
}

/** The catalog may be that of another place. Where none of the points that stay is there, nothing else is touched. */
async function strangeStorage(ports: RetentionPorts, plan: RetentionPlan): Promise<string | undefined> {
  if (plan.remove.length === 0) return undefined
  const sound = plan.keep.filter(({ point }) => point.status === 'valid').slice(0, PROBES)
  const found = await Promise.all(sound.map(({ point }) => ports.objects.find(point.manifestKey)))
  if (found.length === 0 || found.some((manifest) => manifest !== undefined)) return undefined
  return 'the storage holds none of the points that the catalog says are valid: it may be another location, or not mounted'
}

async function removeAll(
  ports: RetentionPorts,
  plan: RetentionPlan,
  request: RetentionRequest,
  lease: RunLease,
  work: Work,
): Promise<void> {
  for (const { point } of plan.keep) if (point.status === 'retired') await reinstateWhole(ports, point)
  const units = unitsOf(plan.remove)
  for (let from = 0; from < units.length; from += AT_ONCE) {
    const stop = stopReason(request, lease, work)
    if (stop !== undefined) {
      const left = units.slice(from).reduce((sum, unit) => sum + unit.length, 0)
      work.skipped.push({ subject: `${left} more points to remove`, reason: stop })
      return
    }
    await Promise.all(units.slice(from, from + AT_ONCE).map((unit) => removeUnit(ports, unit, work)))
  }
}

function stopReason({ signal }: RetentionRequest, lease: RunLease, { failed }: Work): string | undefined {
  if (!lease.isSure()) return 'the lease of the run could not be renewed; another run may have begun'
  if (signal?.aborted) return 'the time of the run is used up; the next one goes on'
  return failed.length < MOST_FAILURES ? undefined : `the storage refused ${failed.length} times`
}

/** Members of one set go together, others one by one; oldest first. */
function unitsOf(remove: readonly RemovablePoint[]): readonly (readonly RemovablePoint[])[] {
  const oldestFirst = [...remove].sort((left, right) => newestFirst(right.point, left.point))
  return [...Map.groupBy(oldestFirst, ({ point }) => point.setId ?? point.snapshotId).values()]
}

async function removeUnit(ports: RetentionPorts, unit: readonly RemovablePoint[], work: Work): Promise<void> {
  if (!(await retireUnit(ports, unit, work))) return
  for (const one of unit) {
    try {
      await removeManifest(ports, one.point)
      work.removed.push(removedPoint(one, await removeRest(ports, one.point)))
    } catch (error) {
      fail(work, one.point.snapshotId, error)
    }
  }
}

/** All of the unit or nothing of it; a set is forgotten before the first of its members goes. */
async function retireUnit(ports: RetentionPorts, unit: readonly RemovablePoint[], work: Work): Promise<boolean> {
  const retired: RecoveryPoint[] = []
  for (const { point } of unit) {
    if (await retirePoint(ports, point)) {
      retired.push(point)
      continue
    }
    for (const other of retired) await reinstateWhole(ports, other)
    work.skipped.push({
      subject: point.snapshotId,
      reason: 'it is not as it was planned: somebody has come to count on it',
    })
    return false
  }
  const setId = unit[0]?.point.setId
  if (setId === undefined) return true
  try {
    await ports.removeSet(setId)
    return true
  } catch (error) {
    for (const { point } of unit) await reinstateWhole(ports, point)
    fail(work, setId, error)
    return false
  }
}

function fail(work: Work, subject: string, error: unknown): void {
  if (isBackstopError(error, 'METADATA_UNREACHABLE') || !isBackstopError(error)) throw error
  work.failed.push({ subject, ...describeFailure(error) })
}

function removedPoint({ point, because }: RemovablePoint, objects: RemovedObjects): RemovedPoint {
  const { snapshotId, relation, capturedAt } = point
  return { snapshotId, relation, capturedAt, because, ...objects }
}

/** How many objects there are the storage alone knows. */
function sizeInCatalog({ sizeBytes }: RecoveryPoint): RemovedObjects {
  return { objectCount: 0, sizeBytes }
}
