/** A database whose writes keep their pre-images, without the gate: one transaction, mark, statement, keep, COMMIT. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFolderObjectStore, openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { type AuditId, newId, quoteRelation, type RelationName } from '#lib/kernel/index.ts'
import type {
  DatabaseSession,
  ObjectStore,
  RecordStore,
  RowPlace,
  TouchedTable,
  UndoConflictPolicy,
  UndoKept,
  UndoReport,
} from '#lib/ports/index.ts'
import { type OpenUndoImages, openUndoImages, type UndoLimits } from '#lib/recovery/undo/index.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'

const ID_BYTES = 16
export const TOUCHED_SQL = `SELECT json_build_object('schema', schemaname, 'name', relname) AS relation,
  n_tup_ins::float8 AS "insertedRows", n_tup_upd::float8 AS "updatedRows", n_tup_del::float8 AS "deletedRows"
  FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0`

export interface UndoWorld {
  readonly db: TestDatabase
  readonly undo: OpenUndoImages
  readonly objects: ObjectStore
  readonly records: RecordStore
  /** Settable. */
  readonly time: { nowMs: number }
  /** `between` runs before COMMIT, after the pre-image is kept. */
  write(sql: string, how?: WriteOptions): Promise<{ readonly auditId: AuditId; readonly kept: UndoKept }>
  reverse(
    auditId: AuditId,
    conflictPolicy?: UndoConflictPolicy,
  ): Promise<UndoReport & { readonly undoAuditId: AuditId }>
  look(auditId: AuditId, conflictPolicy?: UndoConflictPolicy): Promise<UndoReport>
  /** Every row of every table, sorted, as text. */
  content(): Promise<readonly string[]>
  close(): Promise<void>
}

export interface WriteOptions {
  readonly isApproved?: boolean
  readonly role?: string
  readonly isRolledBack?: boolean
  /** A query for the hint, right before the statement: `"tableOid"`, `ctid` as text. */
  readonly places?: string
  between?(session: DatabaseSession): Promise<void>
}

/** Where every row of every table is. */
export async function everyPlace(session: DatabaseSession): Promise<readonly RowPlace[]> {
  const places: RowPlace[] = []
  for (const table of await session.query<RelationName>(CONTENT_SQL))
    places.push(...(await session.query<RowPlace>(placesIn(table))))
  return places
}

function placesIn(table: RelationName): string {
  return `SELECT tableoid::text AS "tableOid", ctid::text AS ctid FROM ONLY ${quoteRelation(table)}`
}

export function newAuditId(): AuditId {
  return newId('aud', randomBytes(ID_BYTES))
}

const CONTENT_SQL = `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2`

async function readContent(db: TestDatabase): Promise<readonly string[]> {
  return db.database.withSession(async (session) => {
    await session.execute('SET extra_float_digits = 3; SET row_security = off')
    const lines: string[] = []
    for (const { schema, name } of await session.query<RelationName>(CONTENT_SQL)) {
      const rows = await session.query<{ text: string }>(
        `SELECT format('%s', t.*) AS text FROM ONLY ${quoteRelation({ schema, name })} t ORDER BY 1`,
      )
      lines.push(...rows.map((row) => `${schema}.${name} ${row.text}`))
    }
    return lines
  })
}

export async function openUndoWorld(
  seedSql: string,
  limits: Partial<UndoLimits> = {},
  database?: TestDatabase,
): Promise<UndoWorld> {
  const db = database ?? (await createTestDatabase(seedSql))
  const folder = mkdtempSync(join(tmpdir(), 'backstop-undo-'))
  const time = { nowMs: Date.now() }
  const clock = { nowMs: () => time.nowMs, monotonicMs: () => performance.now() }
  const random = { bytes: (count: number) => randomBytes(count) }
  const objects = await openFolderObjectStore({ root: join(folder, 'objects'), clock, random })
  const records = openSqliteRecordStore({ path: join(folder, 'records.db'), clock })
  const undo = openUndoImages({ database: db.database, objects, records, clock, limits })
  return {
    db,
    undo,
    objects,
    records,
    time,
    write: (sql, how = {}) => db.database.withDedicatedSession((session) => writeOne(undo, session, sql, how)),
    reverse: async (auditId, conflictPolicy = 'fail') => {
      const undoAuditId = newAuditId()
      return { ...(await undo.reverse({ auditId, undoAuditId, conflictPolicy })), undoAuditId }
    },
    look: (auditId, conflictPolicy = 'fail') => undo.reverse({ auditId, conflictPolicy }),
    content: () => readContent(db),
    close: async () => {
      await records.close()
      await db.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function writeOne(undo: OpenUndoImages, session: DatabaseSession, sql: string, how: WriteOptions) {
  const auditId = newAuditId()
  await session.execute('BEGIN')
  if (how.role !== undefined) await session.execute(`SET LOCAL ROLE ${how.role}`)
  const mark = await undo.mark(session)
  const places = how.places === undefined ? [] : await session.query<RowPlace>(how.places)
  await session.execute(sql)
  await session.execute('SET CONSTRAINTS ALL IMMEDIATE')
  const tables = await session.query<TouchedTable>(TOUCHED_SQL)
  const kept = await undo.keep(session, { auditId, mark, tables, isApproved: how.isApproved ?? true, places })
  await how.between?.(session)
  await session.execute(how.isRolledBack === true ? 'ROLLBACK' : 'COMMIT')
  return { auditId, kept }
}
