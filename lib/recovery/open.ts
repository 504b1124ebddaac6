/** Wires the slice together: captures, the catalog of points, and restores, over the ports that it is handed. */
import type { RelationName, SnapshotId } from '#lib/kernel/index.ts'
import { instantFrom, isBackstopError } from '#lib/kernel/index.ts'
import type { Clock } from '#lib/ports/index.ts'
import { Capturer } from './capturer.ts'
import { findHeartbeat, PointCatalog, scanPoints } from './catalog/index.ts'
import type { DrillPorts } from './drill/index.ts'
import { listDrills, runTableDrill } from './drill/index.ts'
import { readManifest } from './locate.ts'
import type { Recovery, RecoveryOptions } from './model.ts'
import type { ConflictPolicy, RestoreRequest } from './restore/index.ts'
import { defaultTarget, exists, planCopyback, readSituation, runRestore, validateRestore } from './restore/index.ts'
import { openRetention, whileInUse } from './retention/index.ts'
import type { CaptureOrder, RoundPorts } from './round/index.ts'
import { captureOne, planRound, runRound } from './round/index.ts'
import { arrangeSets, openSets, SetCatalog, scanSets, verifySets } from './set/index.ts'
import { FIXED_SETTINGS } from './snapshot/index.ts'
import type { StopOptions } from './stoppable.ts'
import { checkOne, judgePoint, type ReadPorts, runVerify } from './verify/index.ts'
import { findStaleTables, lookAtTables, runWatch, settleTables } from './watch/index.ts'

export function openRecovery(options: RecoveryOptions): Recovery {
  const { objects, records, clock } = options
  const catalog = new PointCatalog(records)
  const shelf: Shelf = { ...options, catalog }
  const capturer = new Capturer(options, catalog)
  const round: RoundPorts = {
    ...options,
    catalog,
    copy: (order, stop) => options.copyElsewhere?.(order, stop) ?? copy(order, stop),
    arrange: (plan, policy) => arrangeSets({ ...options, sets: setCatalog }, plan, policy),
  }
  const copy = async ({ relation, companions = [], origin }: CaptureOrder, stop: StopOptions) => {
    if (companions.length === 0) return [await capturer.capture(relation, origin, stop)]
    return (await sets.capture({ kind: 'tables', tables: [relation, ...companions] }, origin, stop)).points
  }
  const setCatalog = new SetCatalog(records, catalog)
  const watching: Pick<DrillPorts, 'readManifest' | 'setAsideIfCorrupt'> = {
    readManifest: (snapshotId) => watchingForCorruption(shelf, snapshotId, readManifest(objects, catalog, snapshotId)),
    setAsideIfCorrupt: (snapshotId, error) => setAsideIfCorrupt(shelf, snapshotId, error),
  }
  const sets = openSets({
    ...options,
    ...watching,
    sets: setCatalog,
    captureFound: (session, found, how) => capturer.captureFound(session, found, how),
    whileInUse: (snapshotIds, work) => whileAllInUse(options, snapshotIds, work),
  })
  const drill: DrillPorts = { ...options, ...watching, catalog }
  return {
    capture: (relation, origin, stop) => capturer.capture(relation, origin, stop),
    captureWithin: (session, relations, origin) => sets.captureWithin(session, relations, origin),
    captureSet: async (relations, origin, stop) =>
      (await sets.capture({ kind: 'tables', tables: relations }, origin, stop)).points,
    findNewestValidSet: (relations) => sets.findNewestValid(relations),
    sets,
    findNewestValid: (relation) => catalog.findNewestTrusted(relation, clock.nowMs()),
    findHeartbeat: () => findHeartbeat(records),
    list: (filter) => catalog.list(filter),
    find: (snapshotId) => catalog.find(snapshotId),
    scan: (relation) => scanPoints(objects, relation),
    rebuildCatalog: () => rebuildCatalog(options, catalog, setCatalog),
    quarantine: (snapshotId, reason) => catalog.quarantine(snapshotId, reason, instantFrom(clock.nowMs())),
    runRound: (policy, stop = {}) => runRound(round, policy, stop),
    planRound: (policy) => planRound(round, policy),
    captureOne: (order, stop = {}) => captureOne(round, order, stop),
    copy: (order, stop = {}) => copy(order, stop),
    verifyPoints: (request) =>
      runVerify({ ...options, catalog, verifySets: (signal) => verifySets(objects, setCatalog, signal) }, request),
    checkPoint: (request) =>
      checkOne(
        { ...options, catalog, whileInUse: (snapshotId, work) => whileInUse(options, snapshotId, work) },
        request,
      ),
    ...openRetention({ ...options, catalog, removeSet: (setId) => setCatalog.remove(setId, objects) }),
    runTableDrill: (request = {}) => runTableDrill(drill, request),
    listDrills: (filter = {}) => listDrills(records, filter),
    runWatch: (settings) => runWatch(options, settings),
    lookAtTables: () => lookAtTables({ ...options, catalog }),
    settleTables: (look) => settleTables(records, look),
    findStaleTables: (tables, staleAfterMs) => findStaleTables({ ...options, catalog }, tables, staleAfterMs),
    readManifest: (snapshotId) => readManifest(objects, catalog, snapshotId),
    hasTable: (relation) => options.database.withSession((session) => exists(session, relation)),
    restore: (request) => restore(options, catalog, request),
    validateRestore: (snapshotId, target, isBrief) => validate(options, catalog, { snapshotId, target, isBrief }),
    planCopyback: (snapshotId, recovered, conflictPolicy) =>
      planFromDatabase(options, catalog, { snapshotId, recovered, conflictPolicy }),
  }
}

async function rebuildCatalog(options: RecoveryOptions, catalog: PointCatalog, sets: SetCatalog) {
  const report = await scanPoints(options.objects)
  for (const point of report.points) await catalog.add(point)
  for (const set of (await scanSets(options.objects)).sets) await sets.add(set)
  return report
}

async function restore(options: RecoveryOptions, catalog: PointCatalog, request: RestoreRequest) {
  const { snapshotId } = request
  const work = whileInUse(options, snapshotId, async () =>
    runRestore(await readManifest(options.objects, catalog, snapshotId), request, options),
  )
  return await watchingForCorruption({ ...options, catalog }, request.snapshotId, work)
}

/** Like `whileInUse`, for each of several points. */
async function whileAllInUse<T>(
  options: RecoveryOptions,
  [first, ...others]: readonly SnapshotId[],
  work: () => Promise<T>,
): Promise<T> {
  if (first === undefined) return await work()
  return await whileInUse(options, first, () => whileAllInUse(options, others, work))
}

interface Shelf extends ReadPorts {
  readonly catalog: PointCatalog
  readonly clock: Clock
}

async function watchingForCorruption<T>(shelf: Shelf, snapshotId: SnapshotId, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    await setAsideIfCorrupt(shelf, snapshotId, error)
    throw error
  }
}

/** One bad reading is no proof: the point is read again, and set aside for what its objects say. */
async function setAsideIfCorrupt(shelf: Shelf, snapshotId: SnapshotId, error: unknown): Promise<void> {
  if (isBackstopError(error, 'SNAPSHOT_CORRUPT') || isBackstopError(error, 'MANIFEST_INVALID')) {
    await setAside(shelf, snapshotId)
  }
}

/** The corruption is the news; that it could not be noted is not. */
async function setAside(shelf: Shelf, snapshotId: SnapshotId): Promise<void> {
  const { catalog, clock } = shelf
  const point = await catalog.find(snapshotId).catch(() => undefined)
  if (point?.status !== 'valid') return
  const verdict = await judgePoint(shelf, point, () => undefined).catch(() => undefined)
  if (verdict?.kind !== 'corrupt') return
  await catalog.quarantine(snapshotId, verdict.reason, instantFrom(clock.nowMs())).catch(() => undefined)
}

interface ValidateRequest {
  readonly snapshotId: SnapshotId
  readonly target: RelationName | undefined
  readonly isBrief: boolean | undefined
}

async function validate(options: RecoveryOptions, catalog: PointCatalog, request: ValidateRequest) {
  const { manifest } = await readManifest(options.objects, catalog, request.snapshotId)
  const target = request.target ?? defaultTarget(manifest.relation)
  return await options.database.withDedicatedSession((session) =>
    validateRestore(session, manifest, target, options, request.isBrief),
  )
}

interface CopybackRequest {
  readonly snapshotId: SnapshotId
  readonly recovered: RelationName | undefined
  readonly conflictPolicy: ConflictPolicy | undefined
}

async function planFromDatabase(options: RecoveryOptions, catalog: PointCatalog, request: CopybackRequest) {
  const { manifest } = await readManifest(options.objects, catalog, request.snapshotId)
  const recovered = request.recovered ?? defaultTarget(manifest.relation)
  const situation = await options.database.withSession(async (session) => {
    // Equality of key types that live in another schema needs the caller's own search path.
    const path = await session.query<{ path: string }>(`SELECT current_setting('search_path') AS path`)
    await session.execute(`BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; ${FIXED_SETTINGS}`)
    await session.query(`SELECT set_config('search_path', $1, true)`, [path[0]?.path ?? ''])
    return await readSituation(session, manifest, recovered)
  })
  return planCopyback(manifest, situation, request.conflictPolicy)
}
