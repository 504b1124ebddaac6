/** Decides what to capture and orders it; figures that no event counts are read and noted on the way. */
import type { Database, ObjectStore, WorkQueue } from '#lib/ports/index.ts'
import {
  type Foundation,
  openAlerts,
  openApprovals,
  openPause,
  orderCaptures,
  refreshFigures,
} from '#lib/product/index.ts'
import { openRecovery } from '#lib/recovery/index.ts'
import { absent, type BucketPolicy, type ScheduledParts } from '../../shared/index.ts'

export interface PlanPorts {
  readonly database: Database
  readonly snapshots: ObjectStore
  /** For the kind `capture`, and with `largeBytes` for `large-capture`. */
  readonly queue: WorkQueue
  /** Tables above this are not for the function; absent: all are. */
  readonly largeBytes?: number
  readonly policy: BucketPolicy
}

export function planParts(foundation: Foundation, ports: PlanPorts): ScheduledParts {
  const { records, clock } = foundation
  const { policy, queue, largeBytes } = ports
  const columnar = absent<never>('columnar format')
  const parts = {
    ...foundation,
    policy: policy.keeper,
    recovery: openRecovery({ ...foundation, ...ports, objects: ports.snapshots, columnar }),
    alerts: openAlerts(foundation),
    approvals: openApprovals(foundation),
    pause: openPause(foundation),
  }
  const refresh = refreshFigures(parts)
  return {
    records,
    clock,
    async run() {
      await policy.refresh()
      const { captures, confirmed, kept, failing, overdue } = await orderCaptures(parts, queue, largeBytes)
      await refresh()
      const counts = { ordered: captures.length, confirmed: confirmed.length, kept: kept.length }
      return { ...counts, failing: failing.length, overdue: overdue.length }
    },
  }
}
