/** Recovers a whole server for real: prepares a folder, starts a server on it, lets it replay, asks it, and throws it away. */
import { join } from 'node:path'
import { BackstopError, isBackstopError, SECOND_MS } from '#lib/kernel/index.ts'
import type { Clock, Database, PreparedServer, PreparedServers } from '#lib/ports/index.ts'
import { type BaseBackup, prepareRestore } from '../pitr/index.ts'
import { listArchive } from '../wal/index.ts'
import { type Attempt, runAttempt } from './attempt.ts'
import { type ExamineOrder, examineServer } from './examine-server.ts'
import type { StoredDrill } from './model.ts'
import { chooseReal, type PrepareDrillPorts, type PrepareDrillRequest, prepareOrder } from './pitr-prepare-drill.ts'
import { mismatch } from './wal-drill.ts'

export interface RestoreDrillPorts extends PrepareDrillPorts {
  readonly servers: PreparedServers
}

export interface RestoreDrillRequest extends Omit<PrepareDrillRequest, 'isSimulated' | 'folder'>, ExamineOrder {
  /** A superuser of the server that was backed up. */
  readonly user: string
  /** For the replay; an hour when absent. */
  readonly timeoutMs?: number
}

const HOUR_MS = 3_600 * SECOND_MS
const POLL_MS = 200
/** Of the program that restore_command calls: what it says when a file is not in the archive. */
const NOT_THERE = 1

/**
 * Effects: a data folder and a server in scratch, both gone at the end, also when this process is killed; the evidence
 * Throws:  METADATA_UNREACHABLE
 */
export async function runRestoreDrill(ports: RestoreDrillPorts, request: RestoreDrillRequest): Promise<StoredDrill> {
  const { clusterId } = request
  return await runAttempt(ports, { kind: 'pitr-restore', clusterId }, async (attempt) => {
    const { course } = attempt
    const scratch = await course.must(
      'make scratch',
      () => ports.files.makeScratch(true),
      () => 'a folder of the user that the server runs as',
    )
    try {
      await recoverInto(ports, request, attempt, scratch.path)
    } finally {
      await course.take(
        'remove scratch',
        () => scratch.remove(),
        () => 'nothing is left',
      )
    }
  })
}

async function recoverInto(
  ports: RestoreDrillPorts,
  request: RestoreDrillRequest,
  attempt: Attempt,
  scratchFolder: string,
): Promise<void> {
  const { course, facts } = attempt
  const dataFolder = join(scratchFolder, 'data')
  facts['target_dir'] = dataFolder
  const backup = await chooseReal(ports, { ...request, isSimulated: false }, attempt, dataFolder)
  if (backup === undefined || !(await canStart(ports, request, attempt, backup, scratchFolder))) return
  const watch = attempt.stopwatch()
  const order = prepareOrder({ ...request, isSimulated: false, backupId: backup.backupId }, dataFolder)
  const report = await course.must(
    'prepare the folder',
    () => prepareRestore(ports, order),
    ({ fileCount }) => `${fileCount} files, each compared with its SHA-256`,
  )
  for (const note of report.notes) attempt.skip(`archive of ${request.clusterId}`, note)
  facts['recovery_signal'] = true
  facts['restore_command'] = request.restoreCommand
  facts['recovery_target_time'] = request.target?.kind === 'time' ? request.target.text : null
  const server = await course.must(
    'start a server',
    () => ports.servers.start({ dataFolder, scratchFolder, serverVersion: backup.serverVersion, user: request.user }),
    () => `PostgreSQL ${backup.serverVersion} on a socket of its own`,
  )
  try {
    await replay(ports, request, attempt, { server, backup })
    attempt.rtoSeconds = watch()
    await examine(request, attempt, server)
    attempt.isProven = true
  } finally {
    await course.take(
      'stop the server',
      () => server.stop(),
      () => 'it has ended',
    )
  }
}

/** A machine without the server's programs, or whose server may not read the archive, says nothing about the backup. */
async function canStart(
  { servers, objects }: RestoreDrillPorts,
  request: RestoreDrillRequest,
  attempt: Attempt,
  backup: BaseBackup,
  scratchFolder: string,
): Promise<boolean> {
  const { course } = attempt
  try {
    attempt.facts['server_version'] = await servers.find(backup.serverVersion)
  } catch (error) {
    if (!isBackstopError(error, 'NATIVE_TOOL_MISSING')) throw error
    attempt.skip('a server start', `${error.message}; install it, or name its folder with --pg-bin`)
    return false
  }
  const newest = (await listArchive(objects, request.clusterId)).files.at(-1)?.file.name
  const name = newest ?? '00000001.history'
  const exitCode = await course.must(
    'call restore_command as the server will',
    () => servers.tryCommand(request.restoreCommand, name, join(scratchFolder, 'tried')),
    (code) => `exit code ${code} for ${name}`,
  )
  if (exitCode === 0 || (newest === undefined && exitCode === NOT_THERE)) return true
  attempt.skip(
    'a server start',
    `restore_command ends with ${exitCode} as the user that the server runs as: it cannot read the archive; run the drill as the owner of the storage, and not as root`,
  )
  return false
}

interface Recovering {
  readonly server: PreparedServer
  readonly backup: BaseBackup
}

interface Progress {
  readonly isOver: boolean
  readonly replayedLsn: string | null
  readonly lastTransactionAt: string | null
  readonly systemIdentifier: string
  readonly timeline: number
}

const PROGRESS_SQL = `
  SELECT NOT pg_is_in_recovery() OR pg_get_wal_replay_pause_state() = 'paused' AS "isOver",
         pg_last_wal_replay_lsn()::text AS "replayedLsn",
         to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "lastTransactionAt",
         (SELECT system_identifier::text FROM pg_control_system()) AS "systemIdentifier",
         (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline`
/** On a server that is promoted the pause state cannot be asked for. */
const STATE_SQL = `SELECT pg_is_in_recovery() AS "isRecovering"`

async function replay(
  { clock, objects }: RestoreDrillPorts,
  request: RestoreDrillRequest,
  attempt: Attempt,
  { server, backup }: Recovering,
): Promise<void> {
  const { course, facts } = attempt
  const database = server.open('postgres')
  try {
    const progress = await course.must(
      'replay',
      () => waitForEnd(clock, server, database, request),
      ({ replayedLsn, lastTransactionAt }) =>
        `to ${replayedLsn ?? 'the end of the base backup'}, last transaction ${lastTransactionAt ?? 'unknown'}`,
    )
    await course.must(
      'compare with the archive',
      async () => await compareWithArchive(progress, request, backup, await listArchive(objects, request.clusterId)),
      (checked) => checked.join('; '),
    )
    facts['replayed_lsn'] = progress.replayedLsn
    facts['last_transaction_at'] = progress.lastTransactionAt
    facts['timeline'] = progress.timeline
    // To the end of the archive: what came after the last transaction in it would have been lost.
    if (request.target === undefined && progress.lastTransactionAt !== null) {
      attempt.rpoSeconds = attempt.ageSeconds(Date.parse(progress.lastTransactionAt))
    }
  } finally {
    await database.close()
  }
}

async function waitForEnd(
  clock: Clock,
  server: PreparedServer,
  database: Database,
  { signal, timeoutMs = HOUR_MS }: RestoreDrillRequest,
): Promise<Progress> {
  const deadlineMs = clock.monotonicMs() + timeoutMs
  for (;;) {
    signal?.throwIfAborted()
    if (!server.isRunning) failed(`the server ended: ${server.lastWords() || 'without a word'}`)
    const progress = await lookAt(database)
    if (progress?.isOver === true) return progress
    if (clock.monotonicMs() > deadlineMs) failed(`the replay did not end within ${timeoutMs / SECOND_MS} seconds`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

function failed(reason: string): never {
  throw new BackstopError('NATIVE_TOOL_FAILED', reason)
}

/** Undefined while it does not answer. */
async function lookAt(database: Database): Promise<Progress | undefined> {
  try {
    return await database.withSession(async (session) => {
      const [state] = await session.query<{ isRecovering: boolean }>(STATE_SQL)
      const sql =
        state?.isRecovering === true
          ? PROGRESS_SQL
          : PROGRESS_SQL.replace(/^\s*SELECT .* AS "isOver"/, 'SELECT true AS "isOver"')
      const [progress] = await session.query<Progress>(sql)
      return progress
    })
  } catch (error) {
    if (isBackstopError(error, 'DATABASE_UNREACHABLE')) return undefined
    throw error
  }
}

type Listing = Awaited<ReturnType<typeof listArchive>>

/** What the server says it has, against what the base backup and the archive hold. Returns what was compared. */
function compareWithArchive(
  progress: Progress,
  { target }: RestoreDrillRequest,
  backup: BaseBackup,
  { files }: Listing,
): readonly string[] {
  const checked = ['it is the server that was backed up']
  if (progress.systemIdentifier !== backup.systemIdentifier) mismatch('the server that came up is another one')
  const replayed = positionOf(progress.replayedLsn ?? backup.stopLsn)
  if (replayed < positionOf(backup.stopLsn)) mismatch(`it ended at ${progress.replayedLsn}, before ${backup.stopLsn}`)
  if (target === undefined) {
    const wanted = endOfArchive(files, backup)
    if (wanted !== undefined && replayed < wanted.from)
      mismatch(`it ended before ${wanted.name}, the end of the archive`)
    checked.push(
      wanted === undefined ? 'it ended with the base backup' : `it replayed ${wanted.name}, the last segment`,
    )
  }
  if (target?.kind === 'lsn' && replayed < positionOf(target.text)) mismatch(`it ended at ${progress.replayedLsn}`)
  if (
    target?.kind === 'time' &&
    Date.parse(progress.lastTransactionAt ?? '') > Date.parse(target.text.replace(' ', 'T'))
  ) {
    mismatch(`the last transaction is of ${progress.lastTransactionAt}, after the target`)
  }
  if (target !== undefined) checked.push(`it stopped at the ${target.kind}`)
  return checked
}

/** The last segment of the newest timeline, behind the start of the backup. */
function endOfArchive(files: Listing['files'], backup: BaseBackup) {
  const segments = files.map(({ file }) => file).filter((file) => file.kind === 'segment')
  const last = segments.at(-1)
  if (last === undefined) return undefined
  const from = positionOf(`${last.name.slice(8, 16)}/${last.name.slice(16)}`, backup.segmentBytes)
  return from < positionOf(backup.stopLsn) ? undefined : { name: last.name, from }
}

/** `16/B374D848` as bytes; of a segment's name the second number counts segments. */
function positionOf(text: string, unitBytes = 1): bigint {
  const [high = '0', low = '0'] = text.split('/')
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`) * BigInt(unitBytes)
}

async function examine(request: RestoreDrillRequest, attempt: Attempt, server: PreparedServer): Promise<void> {
  const { course, facts } = attempt
  const found = await course.must(
    'read every table',
    () => examineServer((name) => server.open(name), request),
    ({ databases, tables, rows }) => `${rows} rows of ${tables} tables in ${databases} databases`,
  )
  attempt.rowCount = found.rows
  facts['databases'] = found.databases
  facts['tables'] = found.tables
  course.skip(found.skipped)
  course.checked.push(
    'the server recovered and answers',
    `every row of ${found.tables} tables in ${found.databases} databases was read`,
    ...(request.checkSql === undefined ? [] : ['the query that was given is true']),
  )
}
