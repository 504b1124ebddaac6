/** Dumps a database, restores the dump into a database made for it, compares the two row by row, and drops it again. */
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { Database, DatabaseSession, LocalFiles, NativeTools, ObjectStore } from '#lib/ports/index.ts'
import { createLogicalBackup, type LogicalBackup, restoreLogicalBackup } from '../logical/index.ts'
import { FIXED_SETTINGS } from '../snapshot/index.ts'
import { type Attempt, type AttemptPorts, runAttempt } from './attempt.ts'
import { compareContent, type DatabaseContent, readContent, readSequences } from './database-content.ts'
import type { StoredDrill } from './model.ts'
import { withDrillLock } from './scratch.ts'
import {
  clearScratchDatabases,
  createScratchDatabase,
  dropScratchDatabase,
  type OpenDatabase,
  openServer,
  urlOfDatabase,
} from './scratch-database.ts'
import { clearOldScratch, openScratchStore, type ScratchStore } from './scratch-store.ts'
import { mismatch } from './wal-drill.ts'

export interface LogicalDrillPorts extends AttemptPorts {
  readonly tools: NativeTools
  readonly files: LocalFiles
  readonly openDatabase: OpenDatabase
}

export interface LogicalDrillRequest {
  /** Read, never written. */
  readonly sourceUrl: string
  /** Names the server that the scratch is made on; the database that it names is not touched, and need not be there. */
  readonly targetUrl: string
  /** True: where the role may not make a database nothing is drilled, and nothing has failed. */
  readonly isRightOptional?: boolean
  /** A database with more bytes than this is not drilled; no limit when absent. */
  readonly maxBytes?: number
  readonly signal?: AbortSignal
}

/**
 * Effects: a database of its own on the target's server and objects in a scratch folder of the store, both removed; the evidence
 * Throws:  METADATA_UNREACHABLE
 */
export async function runLogicalDrill(ports: LogicalDrillPorts, request: LogicalDrillRequest): Promise<StoredDrill> {
  return await runAttempt(ports, { kind: 'logical-backup-restore' }, async (attempt) => {
    const { course } = attempt
    const source = await course.must(
      'connect to the source',
      () => ports.openDatabase(request.sourceUrl),
      ({ label }) => label,
    )
    attempt.database = source.label
    try {
      if (!(await canDrill(ports, request, attempt, source))) return
      const server = await course.must(
        'connect to the server of the target',
        () => openServer(ports.openDatabase, request.targetUrl),
        ({ label }) => label,
      )
      try {
        await drillAlone(ports, request, attempt, { source, server })
      } finally {
        await server.close()
      }
    } finally {
      await source.close()
    }
  })
}

/** False, with the reason among what was skipped, where it cannot be told whether the backup would work. */
async function canDrill(
  { tools }: LogicalDrillPorts,
  { maxBytes }: LogicalDrillRequest,
  attempt: Attempt,
  source: Database,
): Promise<boolean> {
  const found = await attempt.course.must(
    'look at the source',
    async () => (await source.withSession((session) => session.query<SourceFacts>(SOURCE_SQL)))[0] as SourceFacts,
    ({ major, sizeBytes }) => `PostgreSQL ${major}, ${sizeBytes} bytes`,
  )
  attempt.sizeBytes = Number(found.sizeBytes)
  const objection = await objectTo(tools, found, maxBytes)
  if (objection === undefined) return true
  attempt.skip('the whole drill', objection)
  return false
}

interface SourceFacts {
  readonly major: number
  readonly sizeBytes: string
}

const SOURCE_SQL = `SELECT current_setting('server_version_num')::int / 10000 AS major,
  pg_database_size(current_database())::text AS "sizeBytes"`

async function objectTo(tools: NativeTools, { major, sizeBytes }: SourceFacts, maxBytes: number | undefined) {
  if (maxBytes !== undefined && Number(sizeBytes) > maxBytes) {
    return `the database has ${sizeBytes} bytes, more than the ${maxBytes} of a drill`
  }
  for (const tool of ['pg_dump', 'pg_restore'] as const) {
    try {
      const version = await tools.versionOf(tool)
      const own = Number(/\) (\d+)/.exec(version)?.[1] ?? 0)
      if (own < major)
        return `${version} is older than the server, which is PostgreSQL ${major}: install ${tool} ${major}`
    } catch (error) {
      if (!isBackstopError(error, 'NATIVE_TOOL_MISSING')) throw error
      return `${error.message}: ${error.hint}`
    }
  }
  return undefined
}

interface Sides {
  readonly source: Database
  readonly server: Database
}

async function drillAlone(
  ports: LogicalDrillPorts,
  request: LogicalDrillRequest,
  attempt: Attempt,
  sides: Sides,
): Promise<void> {
  const isAllowed = await attempt.course.must(
    'look at the rights',
    () => mayMakeDatabase(sides.server, request.isRightOptional === true),
    (isRight) => (isRight ? 'the role may make a database' : 'the role may not make a database'),
  )
  if (!isAllowed) {
    attempt.skip(
      'the whole drill',
      'the role may not make a database: ALTER ROLE … CREATEDB, or run it with another role',
    )
    return
  }
  const isAlone = await withDrillLock(sides.server, async () => {
    await drillInScratch(ports, request, attempt, sides)
    return true
  })
  if (isAlone !== true) attempt.skip('the whole drill', 'another one is running on this server')
}

/** Asked before anything is dumped. Throws DRILL_REFUSED unless `isOptional`. */
async function mayMakeDatabase(server: Database, isOptional: boolean): Promise<boolean> {
  const [row] = await server.withSession((session) =>
    session.query<{ role: string; isRight: boolean }>(
      `SELECT rolname::text AS role, rolcreatedb OR rolsuper AS "isRight" FROM pg_roles WHERE rolname = current_user`,
    ),
  )
  if (row?.isRight === true || isOptional) return row?.isRight === true
  throw new BackstopError('DRILL_REFUSED', `the role ${row?.role} may not make a database`)
}

async function drillInScratch(
  ports: LogicalDrillPorts,
  request: LogicalDrillRequest,
  attempt: Attempt,
  { source, server }: Sides,
): Promise<void> {
  const { course, facts } = attempt
  await course.take(
    'clear leftovers',
    () => clear(ports, attempt, server),
    (count) => `${count} removed`,
  )
  const store = openScratchStore(ports.objects, attempt.drillId, ports)
  let name: string | undefined
  try {
    const dumped = await dump(ports, request, attempt, { source, store })
    name = await course.must(
      'make scratch',
      () => createScratchDatabase(server, source, attempt.drillId),
      (made) => `database ${made}`,
    )
    facts['scratch_database'] = name
    await restoreAndCompare(ports, request, attempt, { source, store, name, ...dumped })
    attempt.isProven = true
  } finally {
    const made = name
    if (made !== undefined) {
      await course.take(
        'drop scratch',
        () => drop(server, made),
        () => 'the database is gone',
      )
    }
    await course.take(
      'remove the dump',
      () => store.removeAll(),
      (removed) => removed,
    )
  }
}

async function clear(ports: LogicalDrillPorts, attempt: Attempt, server: Database): Promise<number> {
  const { dropped, kept } = await clearScratchDatabases(server)
  attempt.course.skip(kept)
  return dropped.length + (await clearOldScratch(ports))
}

async function drop(server: Database, name: string): Promise<void> {
  const problem = await dropScratchDatabase(server, name)
  if (problem !== undefined) throw new BackstopError('DRILL_REFUSED', `${name} could not be dropped: ${problem}`)
}

interface Dumped {
  readonly backup: LogicalBackup
  readonly content: DatabaseContent
}

/** Dump and figures are of one snapshot, so that a database that is written to can be compared as well. */
async function dump(
  ports: LogicalDrillPorts,
  { sourceUrl, signal }: LogicalDrillRequest,
  { course, facts }: Attempt,
  { source, store }: { readonly source: Database; readonly store: ObjectStore },
): Promise<Dumped> {
  return await source.withDedicatedSession(async (session) => {
    await session.execute(`BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; ${FIXED_SETTINGS}`)
    const content = await course.must(
      'count and hash the source',
      () => readContent(session, signal),
      ({ tables, sequences }) => `${tables.size} tables, ${sequences.size} sequences`,
    )
    const backup = await course.must(
      'dump it',
      async () => {
        const snapshotName = await exportSnapshot(session)
        const order = { databaseUrl: sourceUrl, snapshotName, ...(signal ? { signal } : {}) }
        return await createLogicalBackup({ ...ports, objects: store }, order)
      },
      ({ content: { sizeBytes }, entryCount }) => `${sizeBytes} bytes with ${entryCount} entries, read back`,
    )
    facts['backup_id'] = backup.backupId
    return { backup, content }
  })
}

async function exportSnapshot(session: DatabaseSession): Promise<string> {
  const [row] = await session.query<{ name: string }>('SELECT pg_export_snapshot() AS name')
  return row?.name ?? ''
}

interface Restored extends Dumped {
  readonly source: Database
  readonly store: ScratchStore
  readonly name: string
}

async function restoreAndCompare(
  ports: LogicalDrillPorts,
  { targetUrl, signal }: LogicalDrillRequest,
  attempt: Attempt,
  { source, store, name, backup, content }: Restored,
): Promise<void> {
  const { course } = attempt
  const databaseUrl = urlOfDatabase(targetUrl, name)
  const watch = attempt.stopwatch()
  await course.must(
    'restore it',
    () =>
      restoreLogicalBackup(
        { ...ports, objects: store },
        {
          databaseUrl,
          backupId: backup.backupId,
          isClean: false,
          isOwnerless: true,
          jobs: 1,
          temporaryFolder: '',
          ...(signal ? { signal } : {}),
        },
      ),
    () => 'in one transaction',
  )
  attempt.rtoSeconds = watch()
  attempt.skip('owners and grants', 'the roles of the source need not be on the server of the target')
  const restored = await course.must(
    'count and hash the copy',
    () => readRestored(ports.openDatabase, databaseUrl, signal),
    ({ tables }) => `${tables.size} tables`,
  )
  const later = await source.withSession(readSequences)
  await course.must(
    'compare them',
    async () => {
      course.differences.push(...compareContent(content, restored, later))
      if (course.differences.length > 0) mismatch(`${course.differences.length} things came back otherwise`)
    },
    () => 'they are equal',
  )
  tell(attempt, content)
}

async function readRestored(open: OpenDatabase, url: string, signal: AbortSignal | undefined) {
  const database = await open(url)
  try {
    return await database.withDedicatedSession(async (session) => {
      await session.execute(`BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; ${FIXED_SETTINGS}`)
      return await readContent(session, signal)
    })
  } finally {
    await database.close()
  }
}

function tell(attempt: Attempt, { tables, sequences, counts }: DatabaseContent): void {
  const { course, facts } = attempt
  const rows = [...tables].map(([table, content]) => ({ table, rows: Number(content.rows) }))
  const [largest] = rows.toSorted((left, right) => right.rows - left.rows)
  attempt.rowCount = rows.reduce((sum, one) => sum + one.rows, 0)
  facts['tables'] = tables.size
  facts['largest_table'] = largest?.table ?? null
  facts['largest_table_rows'] = largest?.rows ?? 0
  course.checked.push(
    `rows and digests of ${tables.size} tables`,
    `positions of ${sequences.size} sequences`,
    `how many objects there are of ${counts.size} kinds`,
  )
  if (tables.size === 0) attempt.skip('tables', 'the source has none')
}
