/** Captures several tables at one instant: members first, then the list that makes them a set. */
import type { RelationName, SetId, SnapshotId } from '#lib/kernel/index.ts'
import { BackstopError, ID_BYTES, instantFrom, newId, quoteRelation } from '#lib/kernel/index.ts'
import type {
  Clock,
  Database,
  DatabaseSession,
  ObjectStore,
  Random,
  RecoveryPoint,
  RecoveryPointOrigin,
} from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import type { CaptureRequest, ExportedSnapshot, FoundRelation } from '../snapshot/index.ts'
import { inCallersSnapshot, inExportedSnapshot } from '../snapshot/index.ts'
import type { StopOptions } from '../stoppable.ts'
import { settleInTime } from '../stoppable.ts'
import type { SetCatalog } from './catalog.ts'
import { decodeSet, encodeSet, SETS_PREFIX, setManifestKey } from './codec.ts'
import { readGraph } from './graph.ts'
import type { SetManifest, SetPlan, SetSelection, StoredSet } from './model.ts'
import { MAX_MEMBERS, SET_FORMAT, SET_VERSION } from './model.ts'
import { planSet } from './plan.ts'

export interface SetCapturePorts {
  readonly database: Database
  readonly objects: ObjectStore
  readonly clock: Clock
  readonly random: Random
  readonly sets: SetCatalog
  captureFound(
    session: DatabaseSession,
    found: FoundRelation,
    how: Omit<CaptureRequest, 'relation'>,
  ): Promise<RecoveryPoint>
}

export interface CapturedSet {
  readonly set: StoredSet
  /** In the order of the members. */
  readonly points: readonly RecoveryPoint[]
  readonly notes: readonly string[]
}

/** Each holds a connection and some tens of megabytes. */
const SESSIONS_AT_ONCE = 4
/** Foreign keys that come and go while tables are locked are a migration in the middle of its work. */
const MAX_LOOKS = 3
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Capture the selected tables under one exported snapshot, which every session that reads a member imports.
 *
 * Invariants: the list is written last and read back; without it there is no set, and members that were captured by then are
 *             ordinary points of their tables; the tables are those that hang together in the very snapshot that is captured
 * Throws:     `TABLE_MISSING`, `SET_TOO_LARGE`, `SET_CHANGED`, `RUN_STOPPED`, `TABLE_TOO_LARGE_FOR_RUN`, what a capture throws
 */
export async function captureSet(
  ports: SetCapturePorts,
  selection: SetSelection,
  origin: RecoveryPointOrigin,
  stop: StopOptions = {},
): Promise<CapturedSet> {
  const setId = newId('set', ports.random.bytes(ID_BYTES))
  const work = captureAgreed(ports, { setId, selection, origin }, stop.signal)
  return await settleInTime(work, stop, `the set ${setId}`, `${SETS_PREFIX}${setId}/`)
}

interface SetOrder {
  readonly setId: SetId
  readonly selection: SetSelection
  readonly origin: RecoveryPointOrigin
}

async function captureAgreed(
  ports: SetCapturePorts,
  order: SetOrder,
  signal: AbortSignal | undefined,
): Promise<CapturedSet> {
  for (let look = 1; look <= MAX_LOOKS; look += 1) {
    const planned = await ports.database.withSession(async (session) =>
      planSet(await readGraph(session), order.selection),
    )
    const captured = await inExportedSnapshot(
      ports.database,
      planned.members,
      async (snapshot) => {
        const plan = planSet(await readGraph(snapshot.session), order.selection)
        return namesOf(plan) === namesOf(planned) ? await captureShared(ports, order, plan, snapshot) : undefined
      },
      signal,
    )
    if (captured !== undefined) return captured
  }
  throw new BackstopError('SET_CHANGED', 'the tables that hang together kept changing')
}

/** Whatever order they are in: that is decided anew. */
function namesOf({ members }: SetPlan): string {
  return JSON.stringify(members.map(quoteRelation).sort())
}

async function captureShared(
  ports: SetCapturePorts,
  order: SetOrder,
  plan: SetPlan,
  snapshot: ExportedSnapshot,
): Promise<CapturedSet> {
  const { lsn, exportName } = snapshot
  const text = await readSnapshot(snapshot.session)
  const { setId, origin } = order
  const how = { setId, origin, lsn, capturedAtMs: ports.clock.nowMs(), isSnapshotOwn: true, exportName }
  const points = await captureInParallel(plan, snapshot, (session, found) => captureMember(ports, how, session, found))
  return await writeSet(ports, order, plan, points, how.capturedAtMs, { lsn, snapshot: text, heldBy: 'exported' })
}

/**
 * Capture relations as the caller's open transaction sees them; the caller's locks keep every writer out meanwhile. One relation
 * is no set, and neither are more than a set takes.
 *
 * Invariants: as above; the transaction goes on as if nothing had been
 */
export async function captureSetWithin(
  ports: SetCapturePorts,
  session: DatabaseSession,
  relations: readonly RelationName[],
  origin: RecoveryPointOrigin,
): Promise<readonly RecoveryPoint[]> {
  return await inCallersSnapshot(session, relations, async (inner, found, lsn) => {
    const setId = newId('set', ports.random.bytes(ID_BYTES))
    const selection: SetSelection = { kind: 'tables', tables: relations }
    const isSet = found.length > 1 && found.length <= MAX_MEMBERS
    const alone = { origin, lsn, capturedAtMs: ports.clock.nowMs(), isSnapshotOwn: false }
    const how = isSet ? { ...alone, setId } : alone
    const points: RecoveryPoint[] = []
    for (const one of found) points.push(await captureMember(ports, how, inner, one))
    if (!isSet) return points
    const text = await readSnapshot(inner)
    const plan = planSet(await readGraph(inner), selection)
    const source = { lsn, snapshot: text, heldBy: 'locked' } as const
    await writeSet(ports, { setId, selection, origin }, plan, points, how.capturedAtMs, source)
    return points
  })
}

function captureMember(
  ports: SetCapturePorts,
  how: Omit<CaptureRequest, 'relation' | 'snapshotId'>,
  session: DatabaseSession,
  found: FoundRelation,
): Promise<RecoveryPoint> {
  const snapshotId: SnapshotId = newId('snap', ports.random.bytes(ID_BYTES))
  return ports.captureFound(session, found, { ...how, snapshotId })
}

/**
 * The coordinator's own session takes members one after the other, and others beside it as far as they can be had: a session that
 * would have to wait for a lock leaves its member to the coordinator.
 */
async function captureInParallel(
  plan: SetPlan,
  snapshot: ExportedSnapshot,
  capture: (session: DatabaseSession, found: FoundRelation) => Promise<RecoveryPoint>,
): Promise<readonly RecoveryPoint[]> {
  const wanted = new Set(plan.members.map(quoteRelation))
  const waiting = snapshot.found.filter(({ relation }) => wanted.has(quoteRelation(relation)))
  const points: RecoveryPoint[] = []
  const helpers = Math.min(SESSIONS_AT_ONCE, waiting.length) - 1
  if (helpers > 0) await snapshot.exportName()
  let isFailing = false
  const takeAll = async (take: (found: FoundRelation) => Promise<RecoveryPoint>) => {
    for (let found = waiting.shift(); found !== undefined && !isFailing; found = waiting.shift()) {
      points.push(await take(found))
    }
  }
  const help = async () => {
    for (let found = waiting.shift(); found !== undefined && !isFailing; found = waiting.shift()) {
      const one = found
      try {
        points.push(await snapshot.import((session) => capture(session, one), [one.relation]))
      } catch (error) {
        if (!(error instanceof StatementError && error.failure.sqlState === LOCK_NOT_AVAILABLE)) throw error
        waiting.push(one)
        return
      }
    }
  }
  const failFast = async (work: Promise<void>) => {
    try {
      await work
    } catch (error) {
      isFailing = true
      throw error
    }
  }
  const own = failFast(takeAll((found) => capture(snapshot.session, found)))
  await Promise.all([own, ...Array.from({ length: helpers }, () => failFast(help()))])
  // What a helper gave back after the coordinator was done.
  await takeAll((found) => capture(snapshot.session, found))
  return points
}

async function writeSet(
  ports: SetCapturePorts,
  order: SetOrder,
  plan: SetPlan,
  points: readonly RecoveryPoint[],
  capturedAtMs: number,
  source: Omit<SetManifest['source'], 'database'>,
): Promise<CapturedSet> {
  const byName = new Map(points.map((point) => [quoteRelation(point.relation), point]))
  const ordered = plan.members.flatMap((relation) => byName.get(quoteRelation(relation)) ?? [])
  const manifest: SetManifest = {
    format: SET_FORMAT,
    version: SET_VERSION,
    setId: order.setId,
    origin: order.origin,
    capturedAt: instantFrom(capturedAtMs),
    selection: {
      kind: order.selection.kind,
      group: order.selection.group ?? null,
      tables: order.selection.tables.map((table) => ({ ...table })),
    },
    source: { database: ports.database.label, ...source },
    members: ordered.map(memberOf),
    circles: plan.circles.map((circle) => circle.map((relation) => ({ ...relation }))),
    keys: plan.keys,
  }
  if (ordered.length !== plan.members.length) throw new BackstopError('BUG', 'a member of the set was not captured')
  const set = await ports.sets.add(await putSet(ports.objects, manifest))
  return { set, points: ordered, notes: plan.notes }
}

function memberOf(point: RecoveryPoint): SetManifest['members'][number] {
  const { relation, relationOid, snapshotId, manifestKey, manifestSha256, rowCount, sizeBytes } = point
  return {
    relation: { ...relation },
    relationOid,
    snapshotId,
    manifestKey,
    manifestSha256: manifestSha256 as SetManifest['members'][number]['manifestSha256'],
    rowCount,
    sizeBytes,
  }
}

/** Write the list and read it back. */
async function putSet(objects: ObjectStore, manifest: SetManifest) {
  const key = setManifestKey(manifest.setId)
  const { bytes, sha256 } = encodeSet(manifest)
  try {
    await objects.put(key, bytes, { ifAbsent: true })
    return decodeSet(await objects.read(key), key, sha256)
  } catch (error) {
    await objects.delete(key).catch(() => undefined)
    throw error
  }
}

async function readSnapshot(session: DatabaseSession): Promise<string> {
  const rows = await session.query<{ snapshot: string }>('SELECT pg_current_snapshot()::text AS snapshot')
  return rows[0]?.snapshot ?? ''
}
