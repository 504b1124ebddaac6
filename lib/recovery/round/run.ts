/** One round of background capture over every table, with a heartbeat that goes on while tables are copied. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, instantFrom, isBackstopError, quoteRelation } from '#lib/kernel/index.ts'
import type { Clock, Database, ObjectStore, RecordStore, RecoveryPoint, RecoveryPointOrigin } from '#lib/ports/index.ts'
import type { PointCatalog } from '../catalog/index.ts'
import { writeHeartbeat } from '../catalog/index.ts'
import { decodeManifest } from '../manifest/index.ts'
import { SOURCE_SQL } from '../snapshot/index.ts'
import type { KnownPoint, PlannedTable, RoundPolicy, TableState } from './plan.ts'
import { planCaptures } from './plan.ts'

export interface RoundPorts {
  readonly database: Database
  readonly objects: ObjectStore
  readonly records: RecordStore
  readonly catalog: PointCatalog
  readonly clock: Clock
  capture(relation: RelationName, origin: RecoveryPointOrigin): Promise<RecoveryPoint>
}

export interface RoundFailure {
  readonly relation: RelationName
  readonly code: string
  readonly reason: string
}

export interface RoundReport {
  readonly captured: readonly RecoveryPoint[]
  readonly confirmed: readonly RecoveryPoint[]
  readonly kept: readonly { readonly relation: RelationName; readonly reason: string }[]
  readonly failed: readonly RoundFailure[]
}

/** Well below the 120 seconds after which the gate calls the heartbeat stale. */
const HEARTBEAT_EVERY_MS = 10_000

/** Ordinary tables and leaf partitions; a partitioned table's rows are those of its partitions. */
const TABLES_SQL = `
  SELECT n.nspname AS schema, c.relname AS name, c.oid::text AS oid
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = 'r' AND c.relpersistence <> 't'
     AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
   ORDER BY 1, 2`

/**
 * Capture what needs it. A table that fails is in the report and stops no other.
 *
 * Throws: `DATABASE_UNREACHABLE`, `METADATA_UNREACHABLE`; the heartbeat then says unhealthy, or goes stale
 */
export async function runCaptureRound(ports: RoundPorts, policy: RoundPolicy): Promise<RoundReport> {
  const beat = (isHealthy: boolean, detail: string) =>
    writeHeartbeat(ports.records, { at: instantFrom(ports.clock.nowMs()), isHealthy, detail })
  const timer = setInterval(() => void beat(true, 'a round is running').catch(() => undefined), HEARTBEAT_EVERY_MS)
  timer.unref()
  try {
    await beat(true, 'a round is running')
    const report = await captureAll(ports, policy)
    await beat(report.failed.length === 0, summaryOf(report))
    return report
  } catch (error) {
    await beat(false, isBackstopError(error) ? error.message : 'the round failed').catch(() => undefined)
    throw error
  } finally {
    clearInterval(timer)
  }
}

async function captureAll(ports: RoundPorts, policy: RoundPolicy): Promise<RoundReport> {
  const { tables, stateMark } = await readTables(ports.database)
  const points = await readPoints(ports, tables)
  const captured: RecoveryPoint[] = []
  const confirmed: RecoveryPoint[] = []
  const kept: { relation: RelationName; reason: string }[] = []
  const failed: RoundFailure[] = []
  const nowMs = ports.clock.nowMs()
  for (const plan of planCaptures(tables, points, policy, stateMark, nowMs)) {
    try {
      if (plan.action === 'capture') captured.push(await ports.capture(plan.relation, 'schedule'))
      else if (plan.action === 'confirm') confirmed.push(await confirm(ports, plan, nowMs))
      else kept.push({ relation: plan.relation, reason: plan.because })
    } catch (error) {
      const failure = await explain(ports, plan.relation, error)
      if (failure !== undefined) failed.push(failure)
    }
  }
  return { captured, confirmed, kept, failed }
}

/** The parts have to be where they were: a point whose objects are gone is not fresh, whatever the table does. */
async function confirm(
  ports: RoundPorts,
  plan: PlannedTable & { action: 'confirm' },
  nowMs: number,
): Promise<RecoveryPoint> {
  const { manifest } = decodeManifest(await ports.objects.read(plan.point.manifestKey), plan.point.manifestSha256)
  for (const part of manifest.parts) {
    const found = await ports.objects.find(part.key)
    if (found?.sizeBytes !== part.sizeBytes) {
      await ports.catalog.quarantine(plan.point.snapshotId, 'a part is missing or has another size')
      return await ports.capture(plan.relation, 'schedule')
    }
  }
  return await ports.catalog.confirm(plan.point.snapshotId, instantFrom(nowMs))
}

/** Undefined for a table that was dropped meanwhile. Throws when the database or a store is out of reach altogether. */
async function explain(ports: RoundPorts, relation: RelationName, error: unknown): Promise<RoundFailure | undefined> {
  if (isBackstopError(error, 'DATABASE_UNREACHABLE') || isBackstopError(error, 'METADATA_UNREACHABLE')) throw error
  if (isBackstopError(error, 'TABLE_MISSING')) return undefined
  const { tables } = await readTables(ports.database)
  if (!tables.some((table) => quoteRelation(table.relation) === quoteRelation(relation))) return undefined
  if (isBackstopError(error)) return { relation, code: error.code, reason: error.message }
  const reason = error instanceof Error ? error.message : 'unknown'
  return { relation, code: error instanceof Error ? error.name : 'BUG', reason }
}

async function readTables(database: Database) {
  return await database.withSession(async (session) => {
    const rows = await session.query<{ schema: string; name: string; oid: string }>(TABLES_SQL)
    const tables: TableState[] = rows.map(({ schema, name, oid }) => ({ relation: { schema, name }, oid: Number(oid) }))
    const marks = await session.query<{ mark: string }>(SOURCE_SQL)
    const mark = marks[0]
    if (mark === undefined) throw new BackstopError('BUG', 'the server did not say what it is')
    return { tables, stateMark: mark.mark }
  })
}

async function readPoints(ports: RoundPorts, tables: readonly TableState[]): Promise<ReadonlyMap<string, KnownPoint>> {
  const known = new Map<string, KnownPoint>()
  for (const { relation } of tables) {
    const point = await ports.catalog.findNewestValid(relation)
    if (point === undefined) continue
    const stateMark = await readMark(ports, point)
    if (stateMark !== undefined) known.set(quoteRelation(relation), { point, stateMark })
  }
  return known
}

/** Undefined when the manifest cannot be trusted: the point is set aside and the table captured anew. */
async function readMark(ports: RoundPorts, point: RecoveryPoint): Promise<string | null | undefined> {
  try {
    return decodeManifest(await ports.objects.read(point.manifestKey), point.manifestSha256).manifest.source.stateMark
  } catch (error) {
    if (!isBackstopError(error) || error.kind === 'dependency') throw error
    await ports.catalog.quarantine(point.snapshotId, error.message)
    return undefined
  }
}

function summaryOf(report: RoundReport): string {
  const { captured, confirmed, kept, failed } = report
  const names = failed.map((failure) => displayRelation(failure.relation)).join(', ')
  const tail = failed.length === 0 ? '' : `, ${failed.length} failed: ${names}`
  return `${captured.length} captured, ${confirmed.length} unchanged, ${kept.length} kept${tail}`.slice(0, 1_000)
}
