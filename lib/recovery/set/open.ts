/** Sets over the ports that they are handed: take, list, restore, and the way back. */
import type { RelationName, SetId, SnapshotId } from '#lib/kernel/index.ts'
import { BackstopError, isBackstopError, quoteRelation } from '#lib/kernel/index.ts'
import type { Columnar, DatabaseSession, RecoveryPoint, RecoveryPointOrigin } from '#lib/ports/index.ts'
import type { SealedManifest } from '../manifest/index.ts'
import type { ConflictPolicy } from '../restore/index.ts'
import { readSituation } from '../restore/index.ts'
import type { NamedGroup } from '../round/index.ts'
import { FIXED_SETTINGS } from '../snapshot/index.ts'
import type { StopOptions } from '../stoppable.ts'
import type { CapturedSet, SetCapturePorts } from './capture.ts'
import { captureSet, captureSetWithin } from './capture.ts'
import type { SetFilter, SetPage } from './catalog.ts'
import type { SetCopybackPlan } from './copyback.ts'
import { planSetCopyback } from './copyback.ts'
import { readGraph } from './graph.ts'
import type { FoundGroup } from './group.ts'
import { findGroups } from './group.ts'
import type { SetManifest, SetPlan, SetSelection, StoredSet } from './model.ts'
import { planSet } from './plan.ts'
import type { SetRestoreReport, SetRestoreRequest } from './restore.ts'
import { runSetRestore } from './restore.ts'
import type { SetScan } from './scan.ts'
import { readSet, scanSets } from './scan.ts'
import type { SetPlace } from './targets.ts'
import { chooseTargets } from './targets.ts'

export interface SetPorts extends SetCapturePorts {
  readonly columnar: Columnar
  /** The proven manifest of a point; what turns out to be corrupt is set aside. */
  readManifest(snapshotId: SnapshotId): Promise<SealedManifest>
  setAsideIfCorrupt(snapshotId: SnapshotId, error: unknown): Promise<void>
  /** Nobody removes the points while the work runs. */
  whileInUse<T>(snapshotIds: readonly SnapshotId[], work: () => Promise<T>): Promise<T>
}

export interface Sets {
  /** What `capture` would take; changes nothing. Throws TABLE_MISSING, SET_TOO_LARGE. */
  plan(selection: SetSelection): Promise<SetPlan>
  /** The tables that a policy groups, as far as they are there; two or more each. */
  findGroups(groups: readonly NamedGroup[]): Promise<readonly FoundGroup[]>
  /** Several tables at one snapshot and one LSN. */
  capture(selection: SetSelection, origin: RecoveryPointOrigin, stop?: StopOptions): Promise<CapturedSet>
  /** As the session's open transaction sees them, under the caller's locks; more than one relation become a set. */
  captureWithin(
    session: DatabaseSession,
    relations: readonly RelationName[],
    origin: RecoveryPointOrigin,
  ): Promise<readonly RecoveryPoint[]>
  list(filter?: SetFilter): Promise<SetPage>
  find(setId: SetId): Promise<StoredSet | undefined>
  /** The points of the newest valid set of exactly these tables. */
  findNewestValid(relations: readonly RelationName[]): Promise<readonly RecoveryPoint[] | undefined>
  /** Straight from the object store; needs no metadata. */
  scan(): Promise<SetScan>
  /** All members in one transaction. Throws SET_MISSING, SET_INVALID, SET_KEY_BROKEN, what a restore throws. */
  restore(request: SetRestoreRequest): Promise<SetRestoreReport>
  /** One script that brings every member back, for the state that the database is in now. */
  planCopyback(setId: SetId, place?: SetPlace, conflictPolicy?: ConflictPolicy): Promise<SetCopybackPlan>
}

export function openSets(ports: SetPorts): Sets {
  return {
    plan: (selection) => ports.database.withSession(async (session) => planSet(await readGraph(session), selection)),
    findGroups: (groups) => ports.database.withSession(async (session) => findGroups(await readGraph(session), groups)),
    capture: (selection, origin, stop) => captureSet(ports, selection, origin, stop),
    captureWithin: (session, relations, origin) => captureSetWithin(ports, session, relations, origin),
    list: (filter) => ports.sets.list(filter),
    find: (setId) => ports.sets.find(setId),
    findNewestValid: async (relations) => (await ports.sets.findNewestValid(relations))?.points,
    scan: () => scanSets(ports.objects),
    restore: (request) => restoreSet(ports, request),
    planCopyback: (setId, place = {}, conflictPolicy) => planWayBack(ports, setId, place, conflictPolicy),
  }
}

async function restoreSet(ports: SetPorts, request: SetRestoreRequest): Promise<SetRestoreReport> {
  const { set, manifests } = await readProven(ports, request.setId)
  try {
    const ids = manifests.map(({ manifest }) => manifest.snapshotId)
    return await ports.whileInUse(ids, () => runSetRestore(set, manifests, request, ports))
  } catch (error) {
    await setAsideCorrupt(ports, set, error)
    throw error
  }
}

/** A part is known by its key, and its key by the member that it belongs to. */
async function setAsideCorrupt(ports: SetPorts, set: SetManifest, error: unknown): Promise<void> {
  const key = error instanceof BackstopError ? error.details['key'] : undefined
  const member = set.members.find(({ snapshotId }) => typeof key === 'string' && key.includes(`/${snapshotId}/`))
  if (member !== undefined) await ports.setAsideIfCorrupt(member.snapshotId, error)
}

async function readProven(ports: SetPorts, setId: SetId) {
  const sealed = await readListed(ports, setId)
  const { manifest: set } = sealed
  const manifests: SealedManifest[] = []
  for (const member of set.members) {
    const manifest = await ports.readManifest(member.snapshotId)
    const isListed = manifest.sha256 === member.manifestSha256 && manifest.manifest.setId === setId
    if (!isListed || quoteRelation(manifest.manifest.relation) !== quoteRelation(member.relation)) {
      throw new BackstopError('SET_INVALID', `snapshot ${member.snapshotId} is not the one that the set lists`)
    }
    manifests.push(manifest)
  }
  return { set, manifests }
}

/** A list that cannot be trusted makes the set invalid for good. */
async function readListed(ports: SetPorts, setId: SetId) {
  try {
    return await readSet(ports.objects, ports.sets, setId)
  } catch (error) {
    if (isBackstopError(error, 'SET_INVALID')) await noteBad(ports, setId, error.message)
    throw error
  }
}

/** A set that is invalid for a member of it becomes valid again with that member. */
async function noteBad(ports: SetPorts, setId: SetId, reason: string): Promise<void> {
  const known = await ports.sets.find(setId).catch(() => undefined)
  if (known?.status === 'valid') await ports.sets.setAside(setId, reason).catch(() => undefined)
}

async function planWayBack(
  ports: SetPorts,
  setId: SetId,
  place: SetPlace,
  conflictPolicy: ConflictPolicy | undefined,
): Promise<SetCopybackPlan> {
  const { set, manifests } = await readProven(ports, setId)
  const targets = chooseTargets(
    manifests.map(({ manifest }) => manifest.relation),
    place,
  )
  const members = await ports.database.withSession(async (session) => {
    // Equality of key types that live in another schema needs the caller's own search path.
    const path = await session.query<{ path: string }>(`SELECT current_setting('search_path') AS path`)
    await session.execute(`BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; ${FIXED_SETTINGS}`)
    await session.query(`SELECT set_config('search_path', $1, true)`, [path[0]?.path ?? ''])
    const found = []
    for (const { manifest } of manifests) {
      const recovered = targets.get(quoteRelation(manifest.relation)) ?? manifest.relation
      found.push({ manifest, situation: await readSituation(session, manifest, recovered) })
    }
    return found
  })
  return planSetCopyback(set, members, conflictPolicy)
}
