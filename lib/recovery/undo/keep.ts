/** Keeps the pre-image of a write inside the write's own transaction. */
import type { AuditId } from '#lib/kernel/index.ts'
import { instantFrom, isBackstopError } from '#lib/kernel/index.ts'
import type {
  Clock,
  Database,
  DatabaseSession,
  ObjectStore,
  TouchedTable,
  UndoKeeping,
  UndoKept,
} from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import { describeStatementFailure } from '../failure.ts'
import { TooMuch } from './look.ts'
import { UNDO_FORMAT, type UndoLimits, type UndoTable } from './model.ts'
import type { UndoShelf } from './shelf.ts'
import { Unreadable, type WatchLimits, WriterLost, watchChanges } from './watch-changes.ts'

export interface KeepPorts {
  readonly database: Database
  readonly objects: ObjectStore
  readonly shelf: UndoShelf
  readonly clock: Clock
  readonly limits: UndoLimits
}

export function watchLimits(limits: UndoLimits, isApproved: boolean): WatchLimits {
  const { maxRows, maxBytes } = limits
  return isApproved
    ? { maxRows, maxBytes, maxScanBytes: limits.maxScanBytes, maxMs: limits.maxMs }
    : { maxRows, maxBytes, maxScanBytes: limits.maxImmediateScanBytes, maxMs: limits.maxImmediateMs }
}

/** For the agent: names and figures, never values. */
function reasonOf(error: unknown): string {
  if (error instanceof TooMuch || error instanceof Unreadable) return `It cannot be undone: ${error.message}.`
  if (error instanceof StatementError) {
    const { sqlState } = error.failure
    if (sqlState === '57014') return 'It cannot be undone: looking for the changed rows took too long.'
    return `It cannot be undone: the changed rows could not be read (${describeStatementFailure(error)}).`
  }
  const code = isBackstopError(error) ? error.code : 'BUG'
  return `It cannot be undone: the pre-image could not be kept (${code}).`
}

/** Durable when it returns. */
export async function shelve(
  { database, shelf, clock, limits }: KeepPorts,
  auditId: AuditId,
  transactionId: string,
  tables: readonly UndoTable[],
): Promise<UndoKept> {
  const keptAt = instantFrom(clock.nowMs())
  const image = {
    format: UNDO_FORMAT,
    auditId,
    database: database.label,
    transactionId,
    keptAt,
    tables,
  } as const
  const { rowCount, objectKey, sha256 } = await shelf.put(auditId, image, limits.retentionDays)
  return { available: true, rowCount, objectKey, sha256 }
}

export async function keep(ports: KeepPorts, session: DatabaseSession, keeping: UndoKeeping): Promise<UndoKept> {
  const { auditId, mark, tables, isApproved, places = [] } = keeping
  const changedRows = tables.reduce((sum, one) => sum + one.insertedRows + one.updatedRows + one.deletedRows, 0)
  if (changedRows === 0) return { available: false, reason: 'It changed no rows.' }
  try {
    assertFewRows(changedRows, tables, ports.limits)
    const limits = watchLimits(ports.limits, isApproved)
    const changed = await watchChanges(ports.database, session, { mark, touched: tables, places, limits })
    if (changed.length === 0) return { available: false, reason: 'All rows are as they were before.' }
    return await shelve(ports, auditId, mark.transactionId, changed)
  } catch (error) {
    if (error instanceof WriterLost) throw error.cause
    return { available: false, reason: reasonOf(error) }
  }
}

function assertFewRows(changedRows: number, tables: readonly TouchedTable[], limits: UndoLimits): void {
  if (changedRows <= limits.maxRows) return
  throw new TooMuch(
    `it changed ${changedRows} rows in tables: ${tables.length}, and of at most ${limits.maxRows} the old values are kept`,
  )
}
