/** Captures one range for each order; what came of it is a record that the coordinator reads. */
import { displayRelation } from '#lib/kernel/index.ts'
import { type CarryOutPorts, carryOutRange, decodeRangeWork } from '#lib/recovery/index.ts'
import type { WorkParts } from '../../shared/index.ts'

/** For the storage to take back what was begun, and for the result. */
const RESERVE_MS = 30_000

export function partParts(ports: CarryOutPorts): WorkParts {
  return {
    async handle({ body }, remainingMs) {
      const work = decodeRangeWork(body)
      const startedAtMs = ports.clock.nowMs()
      const signal = AbortSignal.timeout(Math.max(0, remainingMs() - RESERVE_MS))
      const { relation, snapshotId, range } = work.order
      const { status, rowCount, reason } = await carryOutRange(ports, work, signal)
      const table = displayRelation(relation)
      const tookMs = ports.clock.nowMs() - startedAtMs
      return {
        table,
        snapshotId,
        range: range.index,
        status,
        rowCount,
        tookMs,
        ...(reason !== undefined && { reason }),
      }
    },
  }
}
