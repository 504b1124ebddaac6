/** Restores one captured table into scratch and compares it: proof that it could be brought back. */
import { displayRelation } from '#lib/kernel/index.ts'
import type { Columnar, Database, ObjectStore } from '#lib/ports/index.ts'
import { drillTable, type Foundation, openAlerts } from '#lib/product/index.ts'
import { openRecovery } from '#lib/recovery/index.ts'
import type { ScheduledParts } from '../../shared/index.ts'

export interface DrillPorts {
  readonly database: Database
  readonly snapshots: ObjectStore
  readonly columnar: Columnar
}

export function drillParts(foundation: Foundation, ports: DrillPorts): ScheduledParts {
  const { records, clock } = foundation
  const recovery = openRecovery({ ...foundation, ...ports, objects: ports.snapshots })
  const parts = { ...foundation, recovery, alerts: openAlerts(foundation) }
  return {
    records,
    clock,
    async run(signal) {
      const { evidence } = await drillTable(parts, signal)
      const { result, relation, rtoSeconds, rpoSeconds } = evidence
      return { result, table: relation === null ? null : displayRelation(relation), rtoSeconds, rpoSeconds }
    },
  }
}
