/** One look at the tables: what is new is written down, what is gone is reported until it was told. */
import { displayRelation, epochMsOf, instantFrom, type RelationName } from '#lib/kernel/index.ts'
import type { Clock, Database, RecordStore, RecoveryPoint } from '#lib/ports/index.ts'
import type { PointCatalog } from '../catalog/index.ts'
import { findTables } from './find-tables.ts'
import { planTables } from './plan-tables.ts'
import { TableBook } from './table-book.ts'
import type { DroppedTable, GoneTable, SeenTable, TableLook } from './table-model.ts'

export interface TableWatchPorts {
  readonly database: Database
  readonly records: RecordStore
  readonly catalog: PointCatalog
  readonly clock: Clock
}

const AT_ONCE = 16

/**
 * Look, and compare with the look before. What is gone stays known until `settleTables`: a process that ends before it has
 * told anybody tells it at its next start.
 *
 * Throws: `DATABASE_UNREACHABLE`, `METADATA_UNREACHABLE`; then nothing was concluded
 */
export async function lookAtTables(ports: TableWatchPorts): Promise<TableLook> {
  const book = new TableBook(ports.records)
  const { identity, tables } = await ports.database.withSession((session) => findTables(session))
  const known = await book.read()
  const lookedAt = instantFrom(ports.clock.nowMs())
  const look = { since: known.last?.lookedAt ?? null, lookedAt, identity, present: tables }
  if (known.last === undefined || known.last.identity !== identity) {
    if (known.last === undefined) await book.add(tables.map((table) => ({ ...table, firstSeenAt: lookedAt })))
    if (known.last === undefined) await book.noteLook(identity, lookedAt)
    const replacedDatabase = known.last === undefined ? null : { tables: known.tables }
    return { ...look, replacedDatabase, renamed: [], dropped: [] }
  }
  const { appeared, renamed, gone } = planTables(known.tables, tables)
  await book.add(appeared.map((table) => ({ ...table, firstSeenAt: lookedAt })))
  for (const { oid, to } of renamed) {
    const table = known.tables.find((one) => one.oid === oid)
    if (table !== undefined) await book.rename({ ...table, relation: to })
  }
  const dropped = await inTurns(gone, (one) => withPoint(ports.catalog, one))
  return { ...look, replacedDatabase: null, renamed, dropped }
}

/** Call when it was told what is gone: from now on it is no news. Idempotent. Throws METADATA_UNREACHABLE. */
export async function settleTables(records: RecordStore, look: TableLook): Promise<void> {
  const book = new TableBook(records)
  const { replacedDatabase, dropped, present, identity, lookedAt } = look
  const gone = replacedDatabase?.tables.map(({ oid }) => oid) ?? dropped.map(({ table }) => table.oid)
  await book.remove(gone)
  if (replacedDatabase !== null) await book.add(present.map((table) => ({ ...table, firstSeenAt: lookedAt })))
  await book.noteLook(identity, lookedAt)
}

async function withPoint(catalog: PointCatalog, gone: GoneTable): Promise<DroppedTable> {
  const { relation, oid } = gone.table
  let cursor: string | undefined
  do {
    const page = await catalog.list({ relation, ...(cursor === undefined ? {} : { cursor }) })
    const point = page.points.find((one) => one.status === 'valid' && one.relationOid === oid)
    if (point !== undefined) return { ...gone, point }
    cursor = page.cursor
  } while (cursor !== undefined)
  return { ...gone, point: null }
}

export interface StaleTable {
  readonly relation: RelationName
  readonly point: RecoveryPoint
  readonly ageMs: number
}

/**
 * Tables whose newest valid point was taken, or last confirmed, longer ago than this. One without any point is no stale one:
 * that its captures fail is told by themselves. Throws METADATA_UNREACHABLE.
 */
export async function findStaleTables(
  { catalog, clock }: Pick<TableWatchPorts, 'catalog' | 'clock'>,
  tables: readonly SeenTable[],
  staleAfterMs: number,
): Promise<readonly StaleTable[]> {
  const nowMs = clock.nowMs()
  const looked = await inTurns(
    tables.filter(({ holdsRows }) => holdsRows),
    async ({ relation, oid }) => {
      const point = await catalog.findNewestValid(relation)
      if (point === undefined || point.relationOid !== oid) return undefined
      const ageMs = nowMs - epochMsOf(point.confirmedAt ?? point.capturedAt)
      return ageMs > staleAfterMs ? { relation, point, ageMs } : undefined
    },
  )
  return looked
    .filter((one) => one !== undefined)
    .toSorted((left, right) => displayRelation(left.relation).localeCompare(displayRelation(right.relation)))
}

async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const done: R[] = []
  for (let from = 0; from < items.length; from += AT_ONCE) {
    done.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(work))))
  }
  return done
}
