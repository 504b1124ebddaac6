/** Put the parts together over embedded adapters. */

import type { SqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { parquet } from '#lib/adapters/parquet/index.ts'
import { createMetrics, type Metrics } from '#lib/api/index.ts'
import {
  type AlertDesk,
  type AnchorHead,
  type ApprovalDesk,
  type ConductWatch,
  conductLimitsOf,
  type ExecutionSettings,
  loadClassifier,
  type OpenAuditLedger,
  type OpenQueryGate,
  openAlertDesk,
  openApprovalDesk,
  openAuditLedger,
  openConductWatch,
  openPauseSwitch,
  openQueryGate,
  type PauseSwitch,
  type PolicyKeeper,
} from '#lib/gate/index.ts'
import { ID_BYTES, newId, SECOND_MS } from '#lib/kernel/index.ts'
import type { Database, Notifier, ObjectStore } from '#lib/ports/index.ts'
import { openRecovery, type Recovery } from '#lib/recovery/index.ts'
import type { RuntimeConfig } from './config.ts'
import type { GateDatabases } from './connect.ts'
import type { Log } from './log.ts'
import { SYSTEM } from './system.ts'

export interface Stores {
  /** For captures, restores and probes. */
  readonly database: Database
  /** For agents' statements, with the settings of `execution` pinned. */
  readonly gateDatabases: GateDatabases
  readonly execution: ExecutionSettings
  readonly objects: ObjectStore
  readonly records: SqliteRecordStore
  readonly notifier: Notifier
}

export interface Parts extends Stores {
  readonly ledger: OpenAuditLedger
  readonly approvals: ApprovalDesk
  readonly conduct: ConductWatch
  readonly pause: PauseSwitch
  readonly alerts: AlertDesk
  readonly recovery: Recovery
  readonly metrics: Metrics
  readonly gate: OpenQueryGate
  readonly policy: PolicyKeeper
}

/** The ledger; with `anchor`, each new head is also told outside, so that a cut-off tail shows. */
export function openLedger(
  stores: Pick<Stores, 'objects' | 'records'>,
  config: RuntimeConfig,
  anchor?: AnchorHead,
): OpenAuditLedger {
  return openAuditLedger({
    ...stores,
    ...SYSTEM,
    environment: config.environment,
    ...(anchor === undefined ? {} : { anchor }),
  })
}

function anchorBy(notifier: Notifier, environment: string): AnchorHead {
  return (head) =>
    notifier.notify({
      id: newId('alrt', SYSTEM.random.bytes(ID_BYTES)),
      severity: 'info',
      eventType: 'audit_anchor',
      title: `Audit segment ${head.number} is sealed`,
      recommendedAction:
        'Keep this message: "backstop audit verify --anchor" proves that nothing before it was cut off.',
      environment,
      at: head.sealedAt,
      facts: { anchor: `${head.number}:${head.sha256}`, entryCount: head.entryCount },
      dedupeKey: `anchor:${head.number}`,
    })
}

function openApprovals(config: RuntimeConfig, stores: Stores, log: Log): ApprovalDesk {
  const warn = (message: string) => log('warning', 'self_approval', { message })
  return openApprovalDesk({
    store: stores.records,
    ...SYSTEM,
    pendingMs: config.approvalTimeoutSeconds * SECOND_MS,
    ...(config.isDevMode ? { selfApproval: { warn } } : {}),
  })
}

/** Everything but the HTTP interface and the schedule. Throws CONFIG_INVALID, DATABASE_UNREACHABLE. */
export async function openParts(
  config: RuntimeConfig,
  stores: Stores,
  policy: PolicyKeeper,
  version: string,
  log: Log,
): Promise<Parts> {
  await loadClassifier()
  const { environment, clusterId } = config
  const metrics = createMetrics({ version, environment, hasProcessMetrics: true })
  const alerts = openAlertDesk({
    ...stores,
    ...SYSTEM,
    environment,
    onRaised: (eventType, status) => metrics.noteAlert(eventType, status),
  })
  const shared = {
    ...stores,
    ledger: openLedger(stores, config, anchorBy(stores.notifier, environment)),
    approvals: openApprovals(config, stores, log),
    conduct: openConductWatch({
      store: stores.records,
      clock: SYSTEM.clock,
      limits: () => conductLimitsOf(policy.active().policy),
    }),
    pause: openPauseSwitch({ store: stores.records, clock: SYSTEM.clock }),
    alerts,
    recovery: openRecovery({ ...stores, ...SYSTEM, columnar: parquet }),
    metrics,
    policy,
  }
  const gate = openQueryGate({
    ...shared,
    ...stores.gateDatabases,
    clock: SYSTEM.clock,
    observer: metrics,
    environment,
    clusterId,
    policy: () => policy.active(),
  })
  return { ...shared, gate }
}
