/** Restores a snapshot in one transaction: verify, load, compare, rebuild; or nothing at all. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, quoteLiteral } from '#lib/kernel/index.ts'
import type { Columnar, ColumnBatch, Database, DatabaseSession, ObjectStore } from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import type { SealedManifest } from '../manifest/index.ts'
import { FIXED_SETTINGS, verifyPart } from '../snapshot/index.ts'
import { interruptibly } from './interrupt.ts'
import { compareContent, loadRows, readAhead } from './load.ts'
import type { Merged } from './merge.ts'
import { mergeRows } from './merge.ts'
import type {
  NotRebuilt,
  RestorePlan,
  RestoreProgress,
  RestoreReport,
  RestoreRequest,
  RestoreStatement,
} from './model.ts'
import { defaultTarget } from './names.ts'
import { planRestore } from './plan.ts'
import { findMissing, lookForRequired, makeMissing } from './required.ts'

export interface RestorePorts {
  readonly database: Database
  readonly objects: ObjectStore
  readonly columnar: Columnar
}

const SAVEPOINT = 'backstop_rebuild'
const LOCK_TIMEOUT_MS = 30_000

interface Rebuilt {
  readonly rebuilt: string[]
  readonly notRebuilt: NotRebuilt[]
}

export type Progress = (progress: RestoreProgress) => void

/**
 * Restore a proven manifest.
 *
 * Invariants: every part is hashed before the database is touched; the whole happens in one transaction
 * Throws:     `RESTORE_OVER_SOURCE`, `RESTORE_TARGET_EXISTS`, `RESTORE_IN_PROGRESS`, `REQUIRED_OBJECTS_MISSING`, `SNAPSHOT_CORRUPT`, `RESTORE_MISMATCH`, `StatementError`
 */
export async function runRestore(
  { manifest }: SealedManifest,
  request: RestoreRequest,
  ports: RestorePorts,
): Promise<RestoreReport> {
  const target = request.target ?? defaultTarget(manifest.relation)
  const plan = planRestore(manifest, target)
  const progress: Progress = (step) => {
    request.signal?.throwIfAborted()
    request.onProgress?.(step)
  }
  await verifyParts(manifest, ports, progress)
  const base = {
    snapshotId: manifest.snapshotId,
    source: manifest.relation,
    target,
    isDryRun: request.isDryRun === true,
    rowCount: manifest.content.rowCount,
    partCount: manifest.parts.length,
    sizeBytes: manifest.parts.reduce((sum, part) => sum + part.sizeBytes, 0),
  }
  const proven = ['manifest digest', 'SHA-256 of every part', 'row count of every part']
  if (request.isDryRun === true) {
    const missing = await ports.database.withSession((session) => lookForRequired(session, manifest, target))
    const rebuilt = [...missing, ...plan.statements.map(({ subject }) => subject)]
    const checked = [...proven, 'what the table needs from outside']
    return { ...base, rebuilt, notRebuilt: plan.notRebuilt, insertedRows: 0, updatedRows: 0, checked }
  }
  const batches = readAhead(manifest, ports)
  const done = await ports.database.withDedicatedSession((session) =>
    interruptibly(ports.database, session, request.signal, () =>
      restoreInTransaction(session, plan, { manifest, request, ports, progress, batches }),
    ),
  )
  return { ...base, ...done, checked: [...proven, 'row count in the database', 'whole-content digest in the database'] }
}

/** Throws SNAPSHOT_CORRUPT. */
export async function verifyParts(
  manifest: SealedManifest['manifest'],
  ports: RestorePorts,
  progress: Progress,
): Promise<void> {
  const total = manifest.parts.reduce((sum, part) => sum + part.sizeBytes, 0)
  let done = 0
  for (const part of manifest.parts) {
    await verifyPart(ports, part, (count) => {
      done += count
      progress({ phase: 'verify', done, total })
    })
  }
}

interface RestoreContext {
  readonly manifest: SealedManifest['manifest']
  readonly request: RestoreRequest
  readonly ports: RestorePorts
  readonly progress: Progress
  readonly batches: AsyncIterable<ColumnBatch>
}

/** Open the transaction and keep every other restore into the targets out of it. Throws RESTORE_IN_PROGRESS. */
export async function beginRestore(session: DatabaseSession, targets: readonly RelationName[]): Promise<void> {
  await session.execute(`BEGIN; ${FIXED_SETTINGS}; SET LOCAL lock_timeout TO ${LOCK_TIMEOUT_MS}`)
  for (const name of targets.map(displayRelation).sort()) {
    const lock = quoteLiteral(`backstop_restore:${name}`)
    const rows = await session.query<{ ours: boolean | string }>(
      `SELECT pg_try_advisory_xact_lock(hashtextextended(${lock}, 0)) AS ours`,
    )
    if (rows[0]?.ours === true || rows[0]?.ours === 't') continue
    throw new BackstopError('RESTORE_IN_PROGRESS', `another restore into ${name} is running`)
  }
}

async function restoreInTransaction(
  session: DatabaseSession,
  plan: RestorePlan,
  context: RestoreContext,
): Promise<Merged & Rebuilt> {
  const { manifest, ports, progress, batches } = context
  const total = manifest.content.rowCount
  let done = 0
  const onRows = (count: number) => {
    done += count
    progress({ phase: 'load', done, total })
  }
  await beginRestore(session, [plan.target])
  if (await exists(session, plan.target)) {
    const merged = await mergeRows(
      session,
      manifest,
      plan.target,
      mergePolicy(plan.target, context.request),
      ports,
      onRows,
    )
    await session.execute('COMMIT')
    return { ...merged, rebuilt: [], notRebuilt: [] }
  }
  const required = await makeMissing(session, await findMissing(session, manifest, plan.target))
  await createTarget(session, plan)
  const insertedRows = await loadRows(session, manifest, plan.target, true, ports, onRows, batches)
  progress({ phase: 'compare', done: 0, total: 1 })
  await compareContent(session, manifest, plan.target)
  const rebuilt = await rebuild(session, plan, context)
  context.request.signal?.throwIfAborted()
  await session.execute('COMMIT')
  return {
    insertedRows,
    updatedRows: 0,
    rebuilt: [...required.made, ...rebuilt.rebuilt],
    notRebuilt: [...required.missing, ...rebuilt.notRebuilt],
  }
}

/** Somebody may have taken the name since it was looked up. */
const TAKEN_STATES = ['42P07', '23505', '42710']

/** Throws RESTORE_TARGET_EXISTS. */
export async function createTarget(session: DatabaseSession, { createTable, target }: RestorePlan): Promise<void> {
  try {
    await session.execute(createTable)
  } catch (error) {
    if (!(error instanceof StatementError) || !TAKEN_STATES.includes(error.failure.sqlState)) throw error
    throw new BackstopError('RESTORE_TARGET_EXISTS', `${displayRelation(target)} came to exist meanwhile`, {
      cause: error,
    })
  }
}

function mergePolicy(target: RelationName, request: RestoreRequest): 'skip' | 'overwrite' {
  if (request.conflictPolicy === 'skip' || request.conflictPolicy === 'overwrite') return request.conflictPolicy
  throw new BackstopError('RESTORE_TARGET_EXISTS', `${displayRelation(target)} exists`)
}

export async function exists(session: DatabaseSession, relation: RelationName): Promise<boolean> {
  const rows = await session.query(
    `SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`,
    [relation.schema, relation.name],
  )
  return rows.length > 0
}

async function rebuild(session: DatabaseSession, plan: RestorePlan, context: RestoreContext): Promise<Rebuilt> {
  const { progress, request } = context
  const total = plan.statements.length
  const onDone = (done: number) => progress({ phase: 'rebuild', done, total })
  const { rebuilt, refused } = await runStatements(session, plan.statements, onDone)
  for (const { subject, error } of refused) request.onRefused?.(subject, error)
  return { rebuilt, notRebuilt: [...plan.notRebuilt, ...refused.map(({ subject, reason }) => ({ subject, reason }))] }
}

export interface Refused extends NotRebuilt {
  readonly error: StatementError
}

/** Each statement alone: one that fails is reported with the server's reason, and the rest goes on. */
export async function runStatements(
  session: DatabaseSession,
  statements: readonly RestoreStatement[],
  onDone: (count: number) => void,
): Promise<{ readonly rebuilt: string[]; readonly refused: Refused[] }> {
  const rebuilt: string[] = []
  const refused: Refused[] = []
  for (const [index, { subject, sql }] of statements.entries()) {
    try {
      await session.execute(`SAVEPOINT ${SAVEPOINT}; ${sql}; RELEASE SAVEPOINT ${SAVEPOINT}`)
      rebuilt.push(subject)
    } catch (error) {
      if (!(error instanceof StatementError)) throw error
      await session.execute(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`)
      refused.push({ subject, reason: `${error.failure.message} (${error.failure.sqlState})`, error })
    }
    onDone(index + 1)
  }
  return { rebuilt, refused }
}
