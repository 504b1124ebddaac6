/** Reads stored points again, least recently checked first, and sets corrupt ones aside. */
import type { SnapshotId } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, instantFrom, isBackstopError } from '#lib/kernel/index.ts'
import type { Clock, RecordStore, RecoveryPoint } from '#lib/ports/index.ts'
import type { PointCatalog, PointCheck } from '../catalog/index.ts'
import { listDueChecks, noteCheck } from '../catalog/index.ts'
import type { CorruptPoint, VerifyPointsReport, VerifyPointsRequest } from './model.ts'
import { decideCheck } from './plan.ts'
import type { ReadPorts } from './read-point.ts'
import { judgePoint } from './read-point.ts'

export interface VerifyPorts extends ReadPorts {
  readonly records: RecordStore
  readonly catalog: PointCatalog
  /** Read the lists of sets again. */
  verifySets(signal?: AbortSignal): Promise<VerifyPointsReport['sets'] & Pick<VerifyPointsReport, 'skipped'>>
  readonly clock: Clock
}

/** A storage that fails so often in one run is out of reach, and each further try would cost a timeout. */
const MOST_STORAGE_FAILURES = 3

interface Tally {
  points: number
  checked: number
  bytes: number
  storageFailures: number
  readonly corrupt: CorruptPoint[]
  readonly skipped: { subject: string; reason: string }[]
  readonly strays: string[]
}

/**
 * Invariants: a point is set aside only for what was read of its own objects; trouble with the storage is skipped with its
 *             reason and sets nothing aside; a run that judged nothing says why
 * Throws:     `METADATA_UNREACHABLE`
 */
export async function runVerify(ports: VerifyPorts, request: VerifyPointsRequest): Promise<VerifyPointsReport> {
  const tally: Tally = { points: 0, checked: 0, bytes: 0, storageFailures: 0, corrupt: [], skipped: [], strays: [] }
  const seen = new Set<SnapshotId>()
  for await (const check of listDueChecks(ports.records)) {
    if (seen.has(check.snapshotId)) continue
    seen.add(check.snapshotId)
    if (!(await takeNext(ports, request, check, tally))) break
  }
  if (seen.size === 0) tally.skipped.push({ subject: 'recovery points', reason: 'there is none to check' })
  const { checked, corrupt, skipped, storageFailures: unread, bytes, strays } = tally
  const { skipped: unreadSets, ...sets } = await ports.verifySets(request.signal)
  return { checked, corrupt, skipped: [...skipped, ...unreadSets], unread, bytes, sets, strays }
}

/** False ends the run. */
async function takeNext(
  ports: VerifyPorts,
  request: VerifyPointsRequest,
  check: PointCheck,
  tally: Tally,
): Promise<boolean> {
  const point = await ports.catalog.find(check.snapshotId)
  const decision = decideCheck(point, tally, request)
  const subject = point === undefined ? check.snapshotId : subjectOf(point)
  if (decision.action === 'stop') {
    tally.skipped.push({ subject: 'further points', reason: decision.reason })
    return false
  }
  tally.points += 1
  if (decision.action === 'read' && point !== undefined) return await readNext(ports, request, check, point, tally)
  if (decision.action !== 'read') tally.skipped.push({ subject, reason: decision.reason })
  const lookedAt = instantFrom(ports.clock.nowMs())
  await noteCheck(ports.records, check.snapshotId, decision.action === 'pass' ? { ...check, lookedAt } : undefined)
  return true
}

async function readNext(
  ports: VerifyPorts,
  request: VerifyPointsRequest,
  check: PointCheck,
  point: RecoveryPoint,
  tally: Tally,
): Promise<boolean> {
  try {
    const verdict = await judgePoint(ports, point, (count) => {
      tally.bytes += count
      if (request.signal?.aborted) throw new BackstopError('RUN_STOPPED', 'the check was stopped')
    })
    const at = instantFrom(ports.clock.nowMs())
    if (verdict.kind === 'unknown') {
      tally.skipped.push({ subject: subjectOf(point), reason: verdict.reason })
      tally.storageFailures += 1
      await noteCheck(ports.records, point.snapshotId, { ...check, lookedAt: at })
      return tally.storageFailures < MOST_STORAGE_FAILURES
    }
    tally.checked += 1
    if (verdict.kind === 'corrupt') await setAside(ports, point, verdict.reason, tally)
    else {
      tally.strays.push(...verdict.strays)
      await noteCheck(ports.records, point.snapshotId, { lookedAt: at, verifiedAt: at })
    }
    return true
  } catch (error) {
    if (!isBackstopError(error, 'RUN_STOPPED')) throw error
    tally.skipped.push({ subject: `${subjectOf(point)} and further points`, reason: 'the time of the run is used up' })
    return false
  }
}

/** A point that vanished from the catalog meanwhile needs no setting aside. */
async function setAside(ports: VerifyPorts, point: RecoveryPoint, reason: string, tally: Tally): Promise<void> {
  try {
    const { status } = await ports.catalog.quarantine(point.snapshotId, reason, instantFrom(ports.clock.nowMs()))
    if (status === 'quarantined') tally.corrupt.push({ snapshotId: point.snapshotId, relation: point.relation, reason })
    else tally.skipped.push({ subject: subjectOf(point), reason: 'retention is removing it' })
  } catch (error) {
    if (!isBackstopError(error, 'SNAPSHOT_MISSING')) throw error
  }
  await noteCheck(ports.records, point.snapshotId, undefined)
}

function subjectOf(point: RecoveryPoint): string {
  return `${point.snapshotId} of ${displayRelation(point.relation)}`
}
