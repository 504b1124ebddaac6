/** Where tables are captured: a snapshot of our own that other sessions may share, and a transaction that the caller has open. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, quoteRelation } from '#lib/kernel/index.ts'
import type { Database, DatabaseSession } from '#lib/ports/index.ts'
import { withStoppableSession } from '../stoppable.ts'
import { LSN_SQL } from './catalog-sql.ts'
import type { FoundRelation } from './model.ts'
import { findRelation } from './read-definition.ts'
import { FIXED_SETTINGS } from './settings.ts'

/** Longest wait for a table that somebody holds exclusively. */
const LOCK_TIMEOUT_MS = 30_000
const SAVEPOINT = 'backstop_capture'
const BEGIN = 'BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY'
const SNAPSHOT_NAME = /^[0-9A-Za-z-]{1,64}$/
/** What the server says of a snapshot whose transaction has ended: by version and by how long ago. */
export const SNAPSHOT_GONE_STATES: ReadonlySet<string> = new Set(['22023', '42704', '55000'])

/** A snapshot that a coordinator's transaction holds, for as long as `use` of `inExportedSnapshot` runs. */
export interface ExportedSnapshot {
  /** The coordinator's own session, in the snapshot. */
  readonly session: DatabaseSession
  /** In the order in which the relations were given. */
  readonly found: readonly FoundRelation[]
  /** WAL position before the snapshot was taken: everything older is in it. */
  readonly lsn: string
  /** The name by which other sessions, also of other processes, import the snapshot. First called while `session` is idle. */
  exportName(): Promise<string>
  /**
   * Run `use` in the same snapshot on a connection of its own, stopped with the coordinator.
   * `only`: the relations that it reads, all when absent. Throws what `inImportedSnapshot` throws.
   */
  import<T>(use: (session: DatabaseSession) => Promise<T>, only?: readonly RelationName[]): Promise<T>
}

/**
 * Hold one read-only snapshot of several relations on a connection of its own.
 *
 * Invariants: every relation is locked against change of its definition before the snapshot is taken; the LSN is older than
 *             the snapshot; when it returns, no session that imported the snapshot is left
 * Throws:     `TABLE_MISSING`, `TABLE_UNSUPPORTED`, `StatementError`
 */
export async function inExportedSnapshot<T>(
  database: Database,
  relations: readonly RelationName[],
  use: (snapshot: ExportedSnapshot) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return await withStoppableSession(database, signal, async (session) => {
    const lsn = await readLsn(session)
    await findAll(session, relations)
    await session.execute(`${BEGIN}; ${FIXED_SETTINGS}; SET LOCAL lock_timeout TO ${LOCK_TIMEOUT_MS}`)
    await session.execute(lockSql(relations))
    const found = await findAll(session, relations)
    const ended = new AbortController()
    const imports = new Set<Promise<unknown>>()
    const importSignal = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal])
    let exported: Promise<string> | undefined
    const exportName = () => (exported ??= exportSnapshot(session))
    const snapshot: ExportedSnapshot = {
      session,
      found,
      lsn,
      exportName,
      async import(importer, only = relations) {
        const name = await exportName()
        const work = inImportedSnapshot(database, name, only, importer, importSignal)
        imports.add(work)
        return await work
      },
    }
    try {
      // No COMMIT: nothing was written, and what was captured counts whether or not the connection still works.
      return await use(snapshot)
    } finally {
      ended.abort()
      await Promise.allSettled(imports)
    }
  })
}

/**
 * Run `use` in a snapshot that another session, of this process or another, holds and has exported.
 *
 * Invariants: it does not wait for a lock: somebody who waits for the coordinator's locks to go would be waited for here, and
 *             nobody would ever see that circle
 * Throws:     `StatementError` with 55P03 where a lock would have to be waited for, and with a code of `SNAPSHOT_GONE_STATES` once
 *             the coordinator's transaction has ended
 */
export async function inImportedSnapshot<T>(
  database: Database,
  name: string,
  relations: readonly RelationName[],
  use: (session: DatabaseSession) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  if (!SNAPSHOT_NAME.test(name)) throw new BackstopError('BUG', 'that is no name of an exported snapshot')
  return await withStoppableSession(database, signal, async (session) => {
    await session.execute(`${BEGIN}; SET TRANSACTION SNAPSHOT '${name}'; ${FIXED_SETTINGS}`)
    await session.execute(`${lockSql(relations)} NOWAIT`)
    return await use(session)
  })
}

/** Run `use` in a read-only snapshot of one relation. */
export async function inOwnTransaction<T>(
  database: Database,
  relation: RelationName,
  use: (session: DatabaseSession, found: FoundRelation, snapshot: ExportedSnapshot) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const useOne = async (snapshot: ExportedSnapshot) => {
    const [one] = snapshot.found
    if (one === undefined) throw new BackstopError('BUG', 'the relation was found and then was not')
    return await use(snapshot.session, one, snapshot)
  }
  return await inExportedSnapshot(database, [relation], useOne, signal)
}

async function findAll(session: DatabaseSession, relations: readonly RelationName[]): Promise<FoundRelation[]> {
  const found: FoundRelation[] = []
  for (const relation of relations) found.push(await findRelation(session, relation))
  return found
}

/** In one order for everybody: two captures that lock the same tables never wait for each other crosswise. */
function lockSql(relations: readonly RelationName[]): string {
  return `LOCK TABLE ${[...new Set(relations.map(quoteRelation))].sort().join(', ')} IN ACCESS SHARE MODE`
}

async function exportSnapshot(session: DatabaseSession): Promise<string> {
  const rows = await session.query<{ name: string }>('SELECT pg_export_snapshot() AS name')
  const name = rows[0]?.name
  if (name === undefined) throw new BackstopError('BUG', 'the server exported no snapshot')
  return name
}

/**
 * Run `use` inside the caller's transaction; settings and everything else it does to the session are undone.
 *
 * Invariants: locks that the caller took before stay; when `use` throws, the transaction goes on as if nothing had been;
 *             several relations are at one instant only while those locks keep writers out
 */
export async function inCallersSnapshot<T>(
  session: DatabaseSession,
  relations: readonly RelationName[],
  use: (session: DatabaseSession, found: readonly FoundRelation[], lsn: string) => Promise<T>,
): Promise<T> {
  await session.execute(`SAVEPOINT ${SAVEPOINT}`)
  try {
    await session.execute(FIXED_SETTINGS)
    return await use(session, await findAll(session, relations), await readLsn(session))
  } finally {
    await session.execute(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}; RELEASE SAVEPOINT ${SAVEPOINT}`)
  }
}

async function readLsn(session: DatabaseSession): Promise<string> {
  const rows = await session.query<{ lsn: string }>(LSN_SQL)
  const lsn = rows[0]?.lsn
  if (lsn === undefined) throw new BackstopError('BUG', 'the server gave no WAL position')
  return lsn
}
