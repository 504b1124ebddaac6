/** Restores all members of a set in one transaction, with the foreign keys between them; or nothing at all. */
import type { RelationName, SetId } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { SealedManifest } from '../manifest/index.ts'
import type {
  RestorePlan,
  RestorePorts,
  RestoreProgress,
  RestoreReport,
  RestoreStatement,
  StandIns,
} from '../restore/index.ts'
import {
  beginRestore,
  compareContent,
  createTarget,
  exists,
  findMissing,
  interruptibly,
  loadRows,
  lookForRequired,
  makeMissing,
  planRestore,
  runStatements,
  verifyParts,
} from '../restore/index.ts'
import type { SetManifest } from './model.ts'
import type { SetPlace } from './targets.ts'
import { chooseTargets } from './targets.ts'

export interface SetRestoreRequest extends SetPlace {
  readonly setId: SetId
  /** Verify and plan; change nothing. */
  readonly isDryRun?: boolean
  /** When it is aborted, the restore ends with its reason and leaves nothing behind. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: RestoreProgress & { readonly relation: RelationName }) => void
}

export interface SetRestoreReport {
  readonly setId: SetId
  readonly capturedAt: string
  readonly lsn: string
  readonly isDryRun: boolean
  /** A schema that was not there. */
  readonly createdSchema?: string
  /** In the order of the set. */
  readonly members: readonly RestoreReport[]
  /** Foreign keys between the recovered tables: `foreign key lines_order_fkey of public.lines_recovered`. */
  readonly keys: readonly string[]
}

interface MemberWork {
  readonly sealed: SealedManifest
  readonly plan: RestorePlan
}

const PROVEN = ['manifest digest', 'SHA-256 of every part', 'row count of every part']
const COMPARED = [
  'row count in the database',
  'whole-content digest in the database',
  'foreign keys between the members',
]

/**
 * Restore proven manifests, in the order of the set.
 *
 * Invariants: every part of every member is hashed before the database is touched; rows come first, then what belongs to each
 *             table, then foreign keys, so that circles need no order
 * Throws:     `RESTORE_OVER_SOURCE`, `RESTORE_TARGET_EXISTS`, `RESTORE_IN_PROGRESS`, `REQUIRED_OBJECTS_MISSING`,
 *             `SNAPSHOT_CORRUPT`, `RESTORE_MISMATCH`, `SET_KEY_BROKEN`, `StatementError`
 */
export async function runSetRestore(
  set: SetManifest,
  manifests: readonly SealedManifest[],
  request: SetRestoreRequest,
  ports: RestorePorts,
): Promise<SetRestoreReport> {
  const targets = chooseTargets(
    manifests.map(({ manifest }) => manifest.relation),
    request,
  )
  const members = manifests.map((sealed): MemberWork => {
    const { relation } = sealed.manifest
    const target = targets.get(quoteRelation(relation))
    if (target === undefined) throw new BackstopError('BUG', 'a member has no target')
    return { sealed, plan: planRestore(sealed.manifest, target, targets) }
  })
  for (const { sealed } of members) await verifyParts(sealed.manifest, ports, progressOf(request, sealed))
  const base = { setId: set.setId, capturedAt: set.capturedAt, lsn: set.source.lsn }
  if (request.isDryRun === true)
    return { ...base, ...(await planOnly(members, request, ports)), keys: keysInside(set, targets) }
  const done = await ports.database.withDedicatedSession((session) =>
    interruptibly(ports.database, session, request.signal, () =>
      restoreTogether(session, set, members, request, ports),
    ),
  )
  return { ...base, isDryRun: false, keys: keysInside(set, targets), ...done }
}

function progressOf(request: SetRestoreRequest, { manifest }: SealedManifest) {
  return (progress: RestoreProgress) => {
    request.signal?.throwIfAborted()
    request.onProgress?.({ ...progress, relation: manifest.relation })
  }
}

function baseReport({ sealed, plan }: MemberWork) {
  const { manifest } = sealed
  return {
    snapshotId: manifest.snapshotId,
    source: manifest.relation,
    target: plan.target,
    rowCount: manifest.content.rowCount,
    partCount: manifest.parts.length,
    sizeBytes: manifest.parts.reduce((sum, part) => sum + part.sizeBytes, 0),
    updatedRows: 0,
  }
}

/** The schema is made and rolled back: what the members need is looked for as the restore would find it. */
async function planOnly(members: readonly MemberWork[], request: SetRestoreRequest, ports: RestorePorts) {
  const reports: RestoreReport[] = []
  await ports.database.withSession(async (session) => {
    await session.execute('BEGIN')
    await ensureSchema(session, request.schema)
    for (const member of members) {
      const { statements, notRebuilt, target } = member.plan
      const required = await lookForRequired(session, member.sealed.manifest, target)
      const rebuilt = [...required, ...statements.map(({ subject }) => subject)]
      const checked = [...PROVEN, 'what the table needs from outside']
      reports.push({ ...baseReport(member), isDryRun: true, insertedRows: 0, rebuilt, notRebuilt, checked })
    }
  })
  return { isDryRun: true, members: reports }
}

async function restoreTogether(
  session: DatabaseSession,
  set: SetManifest,
  members: readonly MemberWork[],
  request: SetRestoreRequest,
  ports: RestorePorts,
): Promise<Pick<SetRestoreReport, 'members' | 'createdSchema'>> {
  await beginRestore(
    session,
    members.map(({ plan }) => plan.target),
  )
  const createdSchema = await ensureSchema(session, request.schema)
  for (const { plan } of members) {
    if (!(await exists(session, plan.target))) continue
    throw new BackstopError('RESTORE_TARGET_EXISTS', `${displayRelation(plan.target)} exists`)
  }
  const reports: RestoreReport[] = []
  for (const member of members) reports.push(await loadMember(session, member, request, ports))
  const rebuilt = await rebuildAll(session, members, reports, request)
  assertKeys(set, rebuilt)
  request.signal?.throwIfAborted()
  await session.execute('COMMIT')
  return { members: rebuilt, ...(createdSchema === undefined ? {} : { createdSchema }) }
}

async function ensureSchema(session: DatabaseSession, schema: string | undefined): Promise<string | undefined> {
  if (schema === undefined) return undefined
  const found = await session.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema])
  if (found.length > 0) return undefined
  await session.execute(`CREATE SCHEMA ${quoteIdentifier(schema)}`)
  return schema
}

async function loadMember(
  session: DatabaseSession,
  member: MemberWork,
  request: SetRestoreRequest,
  ports: RestorePorts,
): Promise<RestoreReport> {
  const { sealed, plan } = member
  const { manifest } = sealed
  const progress = progressOf(request, sealed)
  const total = manifest.content.rowCount
  let done = 0
  const required = await makeMissing(session, await findMissing(session, manifest, plan.target))
  await createTarget(session, plan)
  const insertedRows = await loadRows(session, manifest, plan.target, true, ports, (count) => {
    done += count
    progress({ phase: 'load', done, total })
  })
  progress({ phase: 'compare', done: 0, total: 1 })
  await compareContent(session, manifest, plan.target)
  progress({ phase: 'compare', done: 1, total: 1 })
  const checked = [...PROVEN, ...COMPARED]
  return {
    ...baseReport(member),
    isDryRun: false,
    insertedRows,
    rebuilt: required.made,
    notRebuilt: [...plan.notRebuilt, ...required.missing],
    checked,
  }
}

const STAGES: readonly RestoreStatement['stage'][] = [undefined, 'foreign key', 'access']

/** Stage by stage over all members: a key needs the keys of the other table, and who gives a table away may not touch it any more. */
async function rebuildAll(
  session: DatabaseSession,
  members: readonly MemberWork[],
  reports: readonly RestoreReport[],
  request: SetRestoreRequest,
): Promise<RestoreReport[]> {
  const outcomes = reports.map((report) => ({ rebuilt: [...report.rebuilt], notRebuilt: [...report.notRebuilt] }))
  for (const stage of STAGES) {
    for (const [index, { plan, sealed }] of members.entries()) {
      const outcome = outcomes[index]
      if (outcome === undefined) continue
      const progress = progressOf(request, sealed)
      const total = plan.statements.length
      const before = outcome.rebuilt.length
      const statements = plan.statements.filter((statement) => statement.stage === stage)
      const onDone = (count: number) => progress({ phase: 'rebuild', done: before + count, total })
      const { rebuilt, refused } = await runStatements(session, statements, onDone)
      outcome.rebuilt.push(...rebuilt)
      outcome.notRebuilt.push(...refused.map(({ subject, reason }) => ({ subject, reason })))
    }
  }
  return reports.map((report, index) => ({ ...report, ...outcomes[index] }))
}

function keysInside(set: SetManifest, targets: StandIns): readonly string[] {
  return set.keys.inside.flatMap(({ name, table }) => {
    const target = targets.get(quoteRelation(table))
    return target === undefined ? [] : [`foreign key ${name} of ${displayRelation(target)}`]
  })
}

/** Recovered tables that do not hold together are not the set. */
function assertKeys(set: SetManifest, reports: readonly RestoreReport[]): void {
  for (const { name, table } of set.keys.inside) {
    const report = reports.find(({ source }) => quoteRelation(source) === quoteRelation(table))
    const subject = `foreign key ${name}`
    if (report === undefined || report.rebuilt.includes(subject)) continue
    const reason = report.notRebuilt.find((one) => one.subject === subject)?.reason ?? 'it was not made'
    throw new BackstopError(
      'SET_KEY_BROKEN',
      `${subject} of ${displayRelation(report.target)} does not hold: ${reason}`,
    )
  }
}
