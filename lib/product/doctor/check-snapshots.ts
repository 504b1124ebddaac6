/** Recovery points of the tables that agents will modify: there, whole when read again, and young enough. */
import { displayRelation, epochMsOf, type RelationName, SECOND_MS } from '#lib/kernel/index.ts'
import type { Clock, Columnar, ObjectStore } from '#lib/ports/index.ts'
import { judgePoint, type Recovery } from '#lib/recovery/index.ts'
import { type CheckReport, Notebook } from './model.ts'

export interface SnapshotLook {
  readonly tables: readonly RelationName[]
  readonly maxAgeSeconds: number
}

interface Ports {
  readonly recovery: Pick<Recovery, 'findNewestValid'>
  readonly objects: ObjectStore
  readonly columnar: Columnar
  readonly clock: Clock
}

export async function checkSnapshots(ports: Ports, { tables, maxAgeSeconds }: SnapshotLook): Promise<CheckReport> {
  const notebook = new Notebook('snapshot_readiness')
  if (tables.length === 0) notebook.skip('recovery points', 'give --table, once for all tables: --table users,orders')
  for (const table of tables) await checkTable(ports, table, maxAgeSeconds, notebook)
  return notebook.report()
}

async function checkTable(ports: Ports, table: RelationName, maxAgeSeconds: number, notebook: Notebook) {
  const name = displayRelation(table)
  const point = await ports.recovery.findNewestValid(table)
  if (point === undefined) {
    notebook.looked(`${name} has no valid recovery point`)
    notebook.fail(`${name} has no valid recovery point`, `Take one: backstop snapshot --table ${name}`)
    return
  }
  const verdict = await judgePoint(ports, point, () => {})
  const age = Math.round((ports.clock.nowMs() - epochMsOf(point.confirmedAt ?? point.capturedAt)) / SECOND_MS)
  notebook.looked(
    `${name}: ${point.snapshotId}, ${point.rowCount} rows, ${age} s old, every part read and hashed again`,
  )
  if (verdict.kind === 'corrupt') {
    notebook.fail(
      `${point.snapshotId} of ${name} is corrupt: ${verdict.reason}`,
      `See the runbook for corrupt snapshots.`,
    )
  } else if (verdict.kind === 'unknown') {
    notebook.fail(`${point.snapshotId} of ${name} could not be read: ${verdict.reason}`, 'Look at the storage.')
  }
  if (age > maxAgeSeconds) {
    const fix = 'Is the gateway running, and does it capture this table? Critical work on it is refused meanwhile.'
    notebook.degrade(
      `the newest point of ${name} is ${age} s old, more than max_snapshot_age_seconds, ${maxAgeSeconds}`,
      fix,
    )
  }
}
