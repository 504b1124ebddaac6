/** Restores a manifest into scratch, and reads back what the table is there. */
import { displayRelation } from '#lib/kernel/index.ts'
import type { Database, StatementError } from '#lib/ports/index.ts'
import { describeStatementFailure } from '../failure.ts'
import type { SealedManifest, TableDefinition } from '../manifest/index.ts'
import type { RestorePorts } from '../restore/index.ts'
import { runRestore } from '../restore/index.ts'
import { FIXED_SETTINGS, findRelation, readDefinition } from '../snapshot/index.ts'
import { settleInTime, withStoppableSession } from '../stoppable.ts'
import type { DrillRequest, Finding } from './model.ts'
import { planScratch } from './plan.ts'
import type { Scratch } from './scratch.ts'

/** Refused for want of a right or of a role: that says nothing about the point. */
const EXCUSED_STATES: ReadonlySet<string> = new Set(['42501', '42704', '0LP01'])

export interface RestoredScratch {
  readonly rowCount: number
  readonly checked: readonly string[]
  /** What could not be made there, and why; the subjects are not compared. */
  readonly leftOut: readonly Finding[]
  /** What the server refused to make although it should have. */
  readonly refused: readonly Finding[]
}

/** Throws what a restore throws; `TABLE_TOO_LARGE_FOR_RUN` or `RUN_STOPPED` when the signal fires. */
export async function restoreScratch(
  ports: RestorePorts,
  sealed: SealedManifest,
  scratch: Scratch,
  request: DrillRequest,
): Promise<RestoredScratch> {
  const { signal } = request
  const { manifest, leftOut } = planScratch(sealed.manifest, await readRole(ports.database))
  const refusals: { subject: string; error: StatementError }[] = []
  const work = runRestore(
    { ...sealed, manifest },
    {
      snapshotId: manifest.snapshotId,
      target: scratch.target,
      onRefused: (subject, error) => refusals.push({ subject, error }),
    },
    { ...ports, database: stoppableDatabase(ports.database, signal) },
  )
  const stop = signal === undefined ? {} : { signal }
  const report = await settleInTime(work, stop, displayRelation(manifest.relation), `schema ${scratch.schema}`)
  const findings = refusals.map(({ subject, error }) => ({
    isExcused: EXCUSED_STATES.has(error.failure.sqlState),
    finding: { subject, reason: describeStatementFailure(error) },
  }))
  const isRefused = (subject: string) => refusals.some((refusal) => refusal.subject === subject)
  return {
    rowCount: report.rowCount,
    checked: report.checked,
    leftOut: [
      ...leftOut,
      ...report.notRebuilt.filter(({ subject }) => !isRefused(subject)),
      ...findings.filter(({ isExcused }) => isExcused).map(({ finding }) => finding),
    ],
    refused: findings.filter(({ isExcused }) => !isExcused).map(({ finding }) => finding),
  }
}

export async function readScratchDefinition(database: Database, scratch: Scratch): Promise<TableDefinition> {
  return await database.withSession(async (session) => {
    await session.execute(`BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; ${FIXED_SETTINGS}`)
    const { oid } = await findRelation(session, scratch.target)
    return (await readDefinition(session, oid)).definition
  })
}

async function readRole(database: Database): Promise<string> {
  const rows = await database.withSession((session) =>
    session.query<{ role: string }>('SELECT current_user::text AS role'),
  )
  return rows[0]?.role ?? ''
}

function stoppableDatabase(database: Database, signal: AbortSignal | undefined): Database {
  return {
    label: database.label,
    withSession: (use) => database.withSession(use),
    withDedicatedSession: (use) => withStoppableSession(database, signal, use),
    cancel: (processId) => database.cancel(processId),
    close: () => database.close(),
  }
}
