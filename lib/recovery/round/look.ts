/** Reads what a round decides on: the tables of the database, their newest points, and the captures that run or failed. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, epochMsOf, instantFrom, isBackstopError, quoteRelation } from '#lib/kernel/index.ts'
import type { Database, RecoveryPoint } from '#lib/ports/index.ts'
import { CLOCK_SKEW_MS } from '../catalog/index.ts'
import { decodeManifest } from '../manifest/index.ts'
import { SCRATCH_MARK, SCRATCH_NAME_PATTERN } from '../scratch.ts'
import { SOURCE_SQL } from '../snapshot/index.ts'
import { judgePoint } from '../verify/index.ts'
import { COUNTERS_OF } from './counters.ts'
import { inBatches } from './in-batches.ts'
import type { QuarantinedPoint, RoundPorts } from './model.ts'
import type { KnownPoint, TableState } from './plan.ts'
import type { CaptureState } from './state.ts'
import { readStates } from './state.ts'

/**
 * Ordinary tables and leaf partitions; a partitioned table's rows are those of its partitions. What drills restore into is
 * not worth a copy. To measure a table that somebody has to himself is to wait for him, with all others.
 */
const TABLES_SQL = `
  SELECT n.nspname AS schema, c.relname AS name, c.oid::text AS oid,
         CASE WHEN c.oid NOT IN (SELECT l.relation FROM pg_locks l WHERE l.relation IS NOT NULL AND l.mode = 'AccessExclusiveLock')
              THEN pg_table_size(c.oid)::text END AS size,
         ${COUNTERS_OF('c.oid')} AS counters
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = 'r' AND c.relpersistence <> 't'
     AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
     AND NOT (n.nspname ~ '${SCRATCH_NAME_PATTERN}'
              AND coalesce(starts_with(obj_description(n.oid, 'pg_namespace'), '${SCRATCH_MARK}'), false))
   ORDER BY 1, 2`

interface TableRow {
  readonly schema: string
  readonly name: string
  readonly oid: string
  /** Null for a table that was dropped meanwhile. */
  readonly size: string | null
  readonly counters: string
}

export interface RoundFacts {
  readonly tables: readonly TableState[]
  readonly stateMark: string
  /** By quoted name. */
  readonly points: ReadonlyMap<string, KnownPoint>
  readonly states: ReadonlyMap<string, CaptureState>
  /** Points whose manifest could not be trusted, set aside on the way. */
  readonly quarantined: readonly QuarantinedPoint[]
}

/** Throws `DATABASE_UNREACHABLE`, `METADATA_UNREACHABLE`, `STORAGE_UNREACHABLE`. */
export async function readFacts(
  ports: RoundPorts,
  isAllowed: (relation: RelationName) => boolean,
): Promise<RoundFacts> {
  const states = await readStates(ports.records)
  const { tables, stateMark } = await readTables(ports.database)
  const points = new Map<string, KnownPoint>()
  const quarantined: QuarantinedPoint[] = []
  const until = instantFrom(ports.clock.nowMs() + CLOCK_SKEW_MS)
  const look = async ({ relation }: TableState) => {
    const point = await ports.catalog.findNewestValid(relation, until)
    if (point === undefined) return
    const mark = await readMark(ports, point)
    if ('reason' in mark) quarantined.push({ snapshotId: point.snapshotId, relation, reason: mark.reason })
    else points.set(quoteRelation(relation), knownPoint(point, mark.stateMark, states.get(quoteRelation(relation))))
  }
  const allowed = tables.filter(({ relation }) => isAllowed(relation))
  await inBatches(allowed, look)
  return { tables, stateMark, points, states, quarantined }
}

/** What was proven of the point since its capture is in the state of its table. */
function knownPoint(point: RecoveryPoint, stateMark: string | null, state: CaptureState | undefined): KnownPoint {
  const proof = state?.proof?.snapshotId === point.snapshotId ? state.proof : undefined
  const isFailing = state?.failure !== undefined && epochMsOf(point.capturedAt) < epochMsOf(state.failure.at)
  if (proof === undefined) return { point, stateMark, isFailing }
  const { counters, timesEqual } = proof
  return { point, stateMark: proof.stateMark ?? stateMark, counters, timesEqual, isFailing }
}

export async function readTables(database: Database) {
  return await database.withSession(async (session) => {
    const rows = await session.query<TableRow>(TABLES_SQL)
    const tables: TableState[] = rows.map(({ schema, name, oid, size, counters }) => ({
      relation: { schema, name },
      oid: Number(oid),
      sizeBytes: Number(size ?? 0),
      counters,
    }))
    const marks = await session.query<{ mark: string }>(SOURCE_SQL)
    const mark = marks[0]
    if (mark === undefined) throw new BackstopError('BUG', 'the server did not say what it is')
    return { tables, stateMark: mark.mark }
  })
}

/**
 * When the manifest cannot be trusted the point is set aside, and the table captured anew; when the storage holds nothing at all,
 * it is another place, and says nothing about the point.
 */
async function readMark(ports: RoundPorts, point: RecoveryPoint) {
  try {
    return { stateMark: await readStateMark(ports, point) }
  } catch (error) {
    if (!isBackstopError(error) || error.kind === 'dependency') throw error
    const verdict = await judgePoint(ports, point, () => undefined)
    if (verdict.kind === 'unknown') throw new BackstopError('STORAGE_UNREACHABLE', verdict.reason, { cause: error })
    if (verdict.kind === 'whole') return { stateMark: await readStateMark(ports, point) }
    await ports.catalog.quarantine(point.snapshotId, verdict.reason, instantFrom(ports.clock.nowMs()))
    return { reason: verdict.reason }
  }
}

async function readStateMark(ports: RoundPorts, point: RecoveryPoint): Promise<string | null> {
  const { manifest } = decodeManifest(await ports.objects.read(point.manifestKey), point.manifestSha256)
  return manifest.source.stateMark
}
