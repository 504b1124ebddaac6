/** Restores one captured table for real, into scratch, compares it, drops it, and stores the evidence. */
import type { Instant, RelationName, SnapshotId } from '#lib/kernel/index.ts'
import {
  BackstopError,
  displayRelation,
  epochMsOf,
  ID_BYTES,
  instantFrom,
  newId,
  SECOND_MS,
} from '#lib/kernel/index.ts'
import type { Clock, Random, RecoveryPoint } from '#lib/ports/index.ts'
import type { SealedManifest } from '../manifest/index.ts'
import type { RestorePorts } from '../restore/index.ts'
import type { ChoosePorts } from './choose.ts'
import { choosePoint } from './choose.ts'
import { compareDefinitions } from './compare-definition.ts'
import { Course } from './course.ts'
import type { EvidencePorts } from './evidence.ts'
import { storeEvidence } from './evidence.ts'
import type { DrillEvidence, DrillRequest, StoredDrill } from './model.ts'
import { DRILL_FORMAT, DRILL_VERSION } from './model.ts'
import { readScratchDefinition, restoreScratch } from './restore-scratch.ts'
import type { Scratch } from './scratch.ts'
import { clearLeftovers, createScratch, dropScratch, withDrillLock } from './scratch.ts'

export interface DrillPorts extends RestorePorts, ChoosePorts, EvidencePorts {
  readonly clock: Clock
  readonly random: Random
  /** The proven manifest of a point; one that cannot be trusted is set aside on the way. */
  readManifest(snapshotId: SnapshotId): Promise<SealedManifest>
  /** Set a point aside when the error says that it is corrupt. */
  setAsideIfCorrupt(snapshotId: SnapshotId, error: unknown): Promise<void>
}

interface Drilled {
  point?: RecoveryPoint
  rtoSeconds?: number
  isRestored?: boolean
}

/**
 * Run a drill. What goes wrong is in the evidence.
 *
 * Effects: a schema of its own, dropped again in any case, with what killed drills have left; the evidence
 * Throws:  `METADATA_UNREACHABLE`: then there is nowhere to keep the evidence
 */
export async function runTableDrill(ports: DrillPorts, request: DrillRequest): Promise<StoredDrill> {
  const drillId = newId('drill', ports.random.bytes(ID_BYTES))
  const startedAt = instantFrom(ports.clock.nowMs())
  const course = new Course(ports.clock)
  const drilled: Drilled = {}
  await course.take(
    'hold the lock of drills',
    async () => {
      const isAlone = await withDrillLock(ports.database, async () => {
        await drill(ports, request, { drillId, startedAt, course, drilled })
        return true
      })
      if (isAlone !== true)
        course.skip([{ subject: 'the whole drill', reason: 'another one is running in this database' }])
    },
    () => 'to the end',
  )
  return await storeEvidence(ports, buildEvidence(ports, { drillId, startedAt, course, drilled }))
}

interface Context {
  readonly drillId: string
  readonly startedAt: Instant
  readonly course: Course
  readonly drilled: Drilled
}

async function drill(ports: DrillPorts, request: DrillRequest, context: Context): Promise<void> {
  const { course, drilled, drillId, startedAt } = context
  await course.take(
    'clear leftovers',
    () => clear(ports, course),
    (count) => `${count} dropped`,
  )
  const choice = await course.take(
    'choose a point',
    () => choosePoint(ports, request),
    ({ point }) => (point === undefined ? 'none' : `${point.snapshotId} of ${displayRelation(point.relation)}`),
  )
  course.skip(choice?.passed ?? [])
  const point = choice?.point
  if (point === undefined) return
  drilled.point = point
  const sealed = await course.take(
    'read the manifest',
    () => ports.readManifest(point.snapshotId),
    () => 'its digest is right',
  )
  if (sealed === undefined) return
  const scratch = await course.take(
    'make scratch',
    () => createScratch(ports.database, drillId, point.relation, startedAt),
    ({ schema }) => schema,
  )
  if (scratch === undefined) return
  try {
    await restoreAndCompare(ports, request, context, { point, sealed, scratch })
  } finally {
    await course.take(
      'drop scratch',
      () => drop(ports, scratch),
      () => 'nothing is left',
    )
  }
}

async function clear(ports: DrillPorts, course: Course): Promise<number> {
  const { dropped, kept } = await clearLeftovers(ports.database)
  course.skip(kept)
  return dropped.length
}

async function drop(ports: DrillPorts, scratch: Scratch): Promise<void> {
  const problem = await dropScratch(ports.database, scratch.schema, scratch.target.name)
  if (problem !== undefined)
    throw new BackstopError('DRILL_REFUSED', `${scratch.schema} could not be dropped: ${problem}`)
}

interface Chosen {
  readonly point: RecoveryPoint
  readonly sealed: SealedManifest
  readonly scratch: Scratch
}

async function restoreAndCompare(
  ports: DrillPorts,
  request: DrillRequest,
  { course, drilled }: Context,
  { point, sealed, scratch }: Chosen,
): Promise<void> {
  const startedAtMs = ports.clock.monotonicMs()
  const restored = await course.take(
    'restore',
    async () => {
      try {
        return await restoreScratch(ports, sealed, scratch, request)
      } catch (error) {
        await ports.setAsideIfCorrupt(point.snapshotId, error)
        throw error
      }
    },
    ({ rowCount }) => `${rowCount} rows`,
  )
  if (restored === undefined) return
  drilled.rtoSeconds = (ports.clock.monotonicMs() - startedAtMs) / SECOND_MS
  course.checked.push(...restored.checked)
  course.skip(restored.leftOut)
  course.differences.push(...restored.refused)
  const excused = new Set([...restored.leftOut, ...restored.refused].map(({ subject }) => subject))
  const tables: { source: RelationName; target: RelationName } = { source: point.relation, target: scratch.target }
  await course.take(
    'compare the definition',
    async () => {
      const definition = await readScratchDefinition(ports.database, scratch)
      const compared = compareDefinitions(sealed.manifest.definition, definition, tables, excused)
      course.differences.push(...compared.differences)
      course.checked.push(`${compared.pieceCount} pieces of the definition`)
      if (course.differences.length === 0) return compared.pieceCount
      throw new BackstopError('DRILL_MISMATCH', `${course.differences.length} pieces came back otherwise`)
    },
    (count) => `${count} pieces are equal`,
  )
  drilled.isRestored = course.failure === undefined
}

function buildEvidence(ports: DrillPorts, { drillId, startedAt, course, drilled }: Context): DrillEvidence {
  const { point } = drilled
  const failed = course.failure !== undefined
  return {
    format: DRILL_FORMAT,
    version: DRILL_VERSION,
    drillId,
    kind: 'table-restore',
    result: failed ? 'failed' : drilled.isRestored === true ? 'ok' : 'skipped',
    startedAt,
    finishedAt: instantFrom(ports.clock.nowMs()),
    database: ports.database.label,
    clusterId: null,
    relation: point?.relation ?? null,
    snapshotId: point?.snapshotId ?? null,
    capturedAt: point?.capturedAt ?? null,
    manifestSha256: point?.manifestSha256 ?? null,
    rowCount: point?.rowCount ?? null,
    sizeBytes: point?.sizeBytes ?? null,
    rtoSeconds: drilled.rtoSeconds ?? null,
    rpoSeconds: point === undefined ? null : ageSeconds(point, startedAt),
    steps: course.steps,
    checked: course.checked,
    skipped: [...course.skipped],
    differences: course.differences,
    failure: course.failure ?? null,
    facts: {},
  }
}

/** A clock that was set back makes no point younger than nothing. */
function ageSeconds(point: RecoveryPoint, at: Instant): number {
  return Math.max(0, (epochMsOf(at) - epochMsOf(point.confirmedAt ?? point.capturedAt)) / SECOND_MS)
}
