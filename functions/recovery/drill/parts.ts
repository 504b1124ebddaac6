/** Runs every drill that can be run without PostgreSQL's own programs, and says of the others why not. */
import { displayRelation } from '#lib/kernel/index.ts'
import type { Columnar, Database, LocalFiles, ObjectStore } from '#lib/ports/index.ts'
import { type DrillGround, drillOnce, type Foundation, openAlerts } from '#lib/product/index.ts'
import { DRILL_KINDS, openRecovery } from '#lib/recovery/index.ts'
import type { ScheduledParts } from '../../shared/index.ts'

export interface DrillPorts {
  readonly database: Database
  readonly snapshots: ObjectStore
  readonly columnar: Columnar
  readonly files: LocalFiles
}

/** Of the folder that is prepared: no server is ever started on it. */
const restoreCommand = (clusterId: string) =>
  `backstop wal fetch --cluster-id '${clusterId.replaceAll("'", "'\\''")}' --wal-name %f --output "%p"`

const NO_PROGRAMS =
  'a function has none of the programs of PostgreSQL: run "backstop drill" with this kind where they are installed'

export function drillParts(foundation: Foundation, ports: DrillPorts): ScheduledParts {
  const { records, clock } = foundation
  const objects = ports.snapshots
  const recovery = openRecovery({ ...foundation, ...ports, objects })
  const parts = { ...foundation, objects, recovery, alerts: openAlerts(foundation), isScratchExpiring: true }
  const ground: DrillGround = { files: ports.files, restoreCommand, native: { reason: NO_PROGRAMS } }
  return {
    records,
    clock,
    async run(signal) {
      const drills = []
      for (const kind of DRILL_KINDS) {
        const { evidence, key } = await drillOnce(parts, ground, kind, signal)
        const { result, relation, rtoSeconds, rpoSeconds } = evidence
        const table = relation === null ? null : displayRelation(relation)
        drills.push({ kind, result, table, rtoSeconds, rpoSeconds, evidence: key })
      }
      const { result, table, rtoSeconds, rpoSeconds } = drills[0] ?? {}
      return {
        result: result ?? null,
        table: table ?? null,
        rtoSeconds: rtoSeconds ?? null,
        rpoSeconds: rpoSeconds ?? null,
        drills,
      }
    },
  }
}
