/** Removes recovery points that nothing keeps, within the function's time; what is left over is removed the next day. */
import type { ObjectStore } from '#lib/ports/index.ts'
import { type Foundation, openAlerts, openApprovals, retainPoints } from '#lib/product/index.ts'
import { openRecovery } from '#lib/recovery/index.ts'
import { absent, type ScheduledParts } from '../../shared/index.ts'

export interface RetainPorts {
  readonly snapshots: ObjectStore
}

export function retainParts(foundation: Foundation, { snapshots }: RetainPorts): ScheduledParts {
  const { records, clock } = foundation
  const recovery = openRecovery({
    ...foundation,
    objects: snapshots,
    database: absent('database'),
    columnar: absent<never>('columnar format'),
  })
  const parts = { ...foundation, recovery, approvals: openApprovals(foundation), alerts: openAlerts(foundation) }
  return {
    records,
    clock,
    async run(signal) {
      const report = await retainPoints(parts, { signal })
      const { removed, kept, swept, failed, skipped } = report
      const left = { failed: failed.length, skipped: skipped.length }
      return { removed: removed.length, kept: kept.length, leftovers: swept.length, ...left }
    },
  }
}
