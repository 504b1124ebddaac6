/** The operators' routes: stop and resume, quarantines, tokens, a recovery point by hand, a write reversed. */
import type { TokenSummary } from '#lib/api/index.ts'
import type { Columnar, Database, ObjectStore } from '#lib/ports/index.ts'
import {
  apiSettings,
  type Foundation,
  openAlerts,
  openConduct,
  openLedger,
  openPause,
  openUndo,
  undoDeskOf,
} from '#lib/product/index.ts'
import { openRecovery } from '#lib/recovery/index.ts'
import { type BucketPolicy, type HttpParts, NO_BUCKET, servicesWith, VERSION } from '../../shared/index.ts'

export interface AdministerPorts {
  readonly database: Database
  readonly snapshots: ObjectStore
  readonly columnar: Columnar
  readonly policy: BucketPolicy
  listTokens(): Promise<readonly TokenSummary[]>
}

/** API Gateway waits 29 seconds; a table that takes longer is left to the schedule. */
const CAPTURE_WITHIN_MS = 20_000

export function administerParts(foundation: Foundation, ports: AdministerPorts): HttpParts {
  const { settings } = foundation
  const { policy } = ports
  const recovery = openRecovery({ ...foundation, ...ports, objects: ports.snapshots })
  const ledger = openLedger(foundation, NO_BUCKET)
  const pause = openPause(foundation)
  const undo = openUndo(foundation, { database: ports.database, objects: ports.snapshots })
  const alerts = openAlerts(foundation)
  const services = servicesWith(foundation, {
    ledger,
    pause,
    alerts,
    undo: undoDeskOf({ undo, ledger, pause, alerts }),
    conduct: openConduct(foundation, policy.keeper),
    policy: () => policy.keeper.active(),
    listTokens: () => ports.listTokens(),
    capture: (relation) => recovery.capture(relation, 'manual', { signal: AbortSignal.timeout(CAPTURE_WITHIN_MS) }),
  })
  return { services, settings: apiSettings(settings, VERSION), prepare: () => policy.refresh() }
}
