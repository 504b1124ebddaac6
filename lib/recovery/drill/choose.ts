/** Finds the point that a drill restores: the newest valid one of the table that was drilled longest ago. */
import type { RelationName } from '#lib/kernel/index.ts'
import { displayRelation } from '#lib/kernel/index.ts'
import type { Clock, Database, RecordStore, RecoveryPoint } from '#lib/ports/index.ts'
import type { PointCatalog } from '../catalog/index.ts'
import { readTables } from '../round/index.ts'
import { readDrilled } from './evidence.ts'
import type { DrillRequest, Finding } from './model.ts'
import { orderCandidates } from './plan.ts'

/** Compressed bytes; in the database the table takes several times that. */
const DEFAULT_MAX_BYTES = 1_073_741_824

export interface ChoosePorts {
  readonly database: Database
  readonly records: RecordStore
  readonly catalog: PointCatalog
  readonly clock: Clock
}

export interface Choice {
  /** Undefined: there is no table that a drill could take. */
  readonly point: RecoveryPoint | undefined
  readonly passed: readonly Finding[]
}

/** A table that is named may be one that is no more; otherwise those of the database are taken in turn. */
export async function choosePoint(ports: ChoosePorts, request: DrillRequest): Promise<Choice> {
  const maxBytes = request.maxBytes ?? DEFAULT_MAX_BYTES
  const passed: Finding[] = []
  for (const relation of await listCandidates(ports, request.relation)) {
    const point = await ports.catalog.findNewestTrusted(relation, ports.clock.nowMs())
    if (point !== undefined && point.sizeBytes <= maxBytes) return { point, passed }
    const reason =
      point === undefined
        ? 'it has no valid recovery point'
        : `its point has ${point.sizeBytes} bytes, more than the ${maxBytes} of a drill`
    passed.push({ subject: displayRelation(relation), reason })
  }
  if (passed.length === 0) passed.push({ subject: ports.database.label, reason: 'it has no table' })
  return { point: undefined, passed }
}

async function listCandidates(ports: ChoosePorts, named: RelationName | undefined): Promise<readonly RelationName[]> {
  if (named !== undefined) return [named]
  const { tables } = await readTables(ports.database)
  return orderCandidates(
    tables.map(({ relation }) => relation),
    await readDrilled(ports.records),
  )
}
