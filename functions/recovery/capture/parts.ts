/** Captures one table for each order, within the function's time. */
import { displayRelation } from '#lib/kernel/index.ts'
import type { Columnar, Database, ObjectStore, WorkQueue } from '#lib/ports/index.ts'
import { captureLimits, captureTable, type Foundation, openAlerts, openFanOut } from '#lib/product/index.ts'
import { decodeCaptureOrder, openRecovery } from '#lib/recovery/index.ts'
import type { WorkParts } from '../../shared/index.ts'

export interface CapturePorts {
  readonly database: Database
  readonly snapshots: ObjectStore
  readonly columnar: Columnar
  /** For the kind `part`: ranges of large tables. */
  readonly queue: WorkQueue
}

/** For the storage to take back what was begun, and for the outcome. */
const RESERVE_MS = 30_000

export function captureParts(foundation: Foundation, ports: CapturePorts): WorkParts {
  const helpers = openFanOut(foundation, ports.queue)
  const options = { ...foundation, ...ports, ...captureLimits(foundation), objects: ports.snapshots }
  const recovery = openRecovery(helpers === undefined ? options : { ...options, helpers })
  const parts = { ...foundation, recovery, alerts: openAlerts(foundation) }
  return {
    async handle({ body }, remainingMs) {
      const order = decodeCaptureOrder(body)
      const signal = AbortSignal.timeout(Math.max(0, remainingMs() - RESERVE_MS))
      const { status } = await captureTable(parts, order, { signal })
      return { table: displayRelation(order.relation), because: order.because, status }
    },
  }
}
