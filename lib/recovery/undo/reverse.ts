/** Reverses one write from its pre-image, in one transaction, or shows what that would do. */
import type { AuditId } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, isBackstopError } from '#lib/kernel/index.ts'
import type { DatabaseSession, UndoReport, UndoRequest } from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import { describeStatementFailure } from '../failure.ts'
import { FIXED_SETTINGS } from '../snapshot/index.ts'
import { carryOut } from './carry-out.ts'
import { type CurrentTable, readCurrent } from './current-rows.ts'
import { type DescribedTable, describeTables } from './describe-table.ts'
import { type KeepPorts, shelve, watchLimits } from './keep.ts'
import type { UndoImage, UndoTable } from './model.ts'
import { sameRelation } from './model.ts'
import { planUndo, type UndoPlan } from './plan.ts'
import { quietTriggers } from './quiet-triggers.ts'
import type { ShelvedImage } from './shelf.ts'
import { transactionStatus } from './transaction-status.ts'
import { markTransaction } from './watch-changes.ts'

const LOCK_TIMEOUT_MS = 10_000

async function begin(session: DatabaseSession, { auditId, undoAuditId }: UndoRequest, maxMs: number): Promise<void> {
  const access = undoAuditId === undefined ? 'READ ONLY' : 'READ WRITE'
  await session.execute(`BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED ${access}; ${FIXED_SETTINGS};
    SET LOCAL statement_timeout TO ${maxMs}; SET LOCAL lock_timeout TO ${LOCK_TIMEOUT_MS}`)
  // One reversal of a write at a time; the next one sees how this one ended.
  await session.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`backstop undo ${auditId}`])
}

/** Undone, unless the reversal was rolled back or was itself reversed. */
async function findUndoing(
  ports: KeepPorts,
  session: DatabaseSession,
  { record }: ShelvedImage,
): Promise<AuditId | undefined> {
  if (record.undoneBy === undefined) return undefined
  const { auditId, transactionId } = record.undoneBy
  if ((await transactionStatus(session, transactionId)) === 'aborted') return undefined
  const reversal = await ports.shelf.find(auditId)
  if (reversal !== undefined && (await findUndoing(ports, session, reversal)) !== undefined) return undefined
  return auditId
}

/** Throws UNDO_DONE, UNDO_NOT_APPLIED, UNDO_CORRUPT. */
async function assertOpen(ports: KeepPorts, session: DatabaseSession, shelved: ShelvedImage, request: UndoRequest) {
  const { auditId, expectedSha256 } = request
  if (expectedSha256 !== undefined && expectedSha256 !== shelved.record.sha256) {
    throw new BackstopError('UNDO_CORRUPT', `the record of ${auditId} is not what the ledger says`)
  }
  const undoneBy = await findUndoing(ports, session, shelved)
  if (undoneBy !== undefined) throw new BackstopError('UNDO_DONE', `${auditId} was undone by ${undoneBy}`)
  const status = await transactionStatus(session, shelved.record.transactionId)
  if (status === 'aborted' || status === 'in progress') {
    throw new BackstopError('UNDO_NOT_APPLIED', `the transaction of ${auditId} is ${status}`)
  }
}

function sameColumns(kept: UndoTable, now: DescribedTable): boolean {
  const text = ({ columns }: Pick<UndoTable, 'columns'> | DescribedTable) =>
    JSON.stringify(columns.map(({ name, type }) => [name, type]).sort())
  return text(kept) === text(now)
}

/** Throws UNDO_IMPOSSIBLE for a table that is gone or has other columns now. */
async function describeNow(session: DatabaseSession, image: UndoImage) {
  const now = await describeTables(
    session,
    image.tables.map((table) => table.relation),
  )
  return image.tables.map((table) => {
    const found = now.find(({ leaf }) => sameRelation(leaf, table.relation))
    if (found !== undefined && sameColumns(table, found)) return { table, isPartitioned: found.isPartitioned }
    const what = found === undefined ? 'is gone' : 'has other columns now'
    throw new BackstopError('UNDO_IMPOSSIBLE', `${displayRelation(table.relation)} ${what}`)
  })
}

function report(request: UndoRequest, plan: UndoPlan, status: UndoReport['status']): UndoReport {
  const { auditId, conflictPolicy } = request
  const { rows, conflictCount } = plan
  const reversedCount = status === 'conflict' ? 0 : rows.length - conflictCount
  return { status, auditId, conflictPolicy, rows, conflictCount, reversedCount, quietTriggers: [] }
}

async function commit(session: DatabaseSession): Promise<void> {
  try {
    await session.execute('COMMIT')
  } catch (cause) {
    if (cause instanceof StatementError) throw cause
    throw new BackstopError('EXECUTION_UNKNOWN', 'The connection broke during COMMIT.', { cause })
  }
}

interface Open {
  readonly ports: KeepPorts
  readonly session: DatabaseSession
  readonly shelved: ShelvedImage
  readonly image: UndoImage
}

async function show({ session, image }: Open, request: UndoRequest): Promise<UndoReport> {
  const tables: CurrentTable[] = []
  for (const shape of await describeNow(session, image)) tables.push(await readCurrent(session, shape, false))
  const plan = planUndo(tables, request.conflictPolicy)
  return report(request, plan, plan.isAllowed ? 'planned' : 'conflict')
}

async function run({ ports, session, shelved, image }: Open, request: UndoRequest, undoAuditId: AuditId) {
  const shapes = await describeNow(session, image)
  // Tables before rows: whoever changes a row of them now is waited for without holding any.
  const quiet = await quietTriggers(session, shapes)
  const tables: CurrentTable[] = []
  for (const shape of shapes) tables.push(await readCurrent(session, shape, true))
  const plan = planUndo(tables, request.conflictPolicy)
  if (!plan.isAllowed || plan.tables.length === 0) return report(request, plan, 'conflict')
  const mark = await markTransaction(session)
  const limits = watchLimits(ports.limits, true)
  const made = await carryOut({ database: ports.database, session, mark, limits }, plan.tables)
  await quiet.wake()
  const undo = await shelve(ports, undoAuditId, mark.transactionId, made)
  await take(ports, shelved, { auditId: undoAuditId, transactionId: mark.transactionId })
  await commit(session)
  return { ...report(request, plan, 'undone'), quietTriggers: quiet.names, undo }
}

/** Before COMMIT: from then on nobody else may; a claim whose transaction was rolled back does not count. */
async function take(ports: KeepPorts, shelved: ShelvedImage, by: { auditId: AuditId; transactionId: string }) {
  try {
    await ports.shelf.take(shelved, by)
  } catch (error) {
    if (!isBackstopError(error, 'RECORD_CHANGED')) throw error
    throw new BackstopError('UNDO_DONE', `${shelved.record.auditId} was undone meanwhile`, { cause: error })
  }
}

/**
 * Look, plan, and unless only asked to look, set back.
 *
 * Invariants: all or nothing; what is committed changed exactly the planned rows, and its own pre-image is durable before COMMIT
 */
export async function reverse(ports: KeepPorts, request: UndoRequest): Promise<UndoReport> {
  try {
    return await reverseOpen(ports, request)
  } catch (error) {
    if (!(error instanceof StatementError)) throw error
    const reason = describeStatementFailure(error)
    throw new BackstopError('UNDO_IMPOSSIBLE', `the write cannot be undone now: ${reason}`, { cause: error })
  }
}

async function reverseOpen(ports: KeepPorts, request: UndoRequest): Promise<UndoReport> {
  const { auditId, undoAuditId } = request
  await ports.shelf.get(auditId)
  return await ports.database.withDedicatedSession(async (session) => {
    await begin(session, request, ports.limits.maxMs)
    const shelved = await ports.shelf.get(auditId)
    await assertOpen(ports, session, shelved, request)
    const open = { ports, session, shelved, image: await ports.shelf.read(shelved.record) }
    return undoAuditId === undefined ? await show(open, request) : await run(open, request, undoAuditId)
  })
}
