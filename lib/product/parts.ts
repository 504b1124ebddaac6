/** Put the parts together over ports. */
import {
  type AlertDesk,
  type AnchorHead,
  type ApprovalDesk,
  type ConductWatch,
  conductLimitsOf,
  loadClassifier,
  type OpenAuditLedger,
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
import type { ObjectStore } from '#lib/ports/index.ts'
import { openRecovery } from '#lib/recovery/index.ts'
import type { Foundation, Parts, Stores } from './model.ts'
import { captureLimits } from './range-work.ts'
import type { ProductSettings } from './settings.ts'
import { openUndo, undoKeeper } from './undo.ts'

type LedgerFoundation = Pick<Foundation, 'records' | 'clock' | 'random'> & {
  readonly settings: Pick<ProductSettings, 'environment'>
}

/** The ledger; with `anchor`, each new head is also told outside, so that a cut-off tail shows. */
export function openLedger(
  foundation: LedgerFoundation,
  auditObjects: ObjectStore,
  anchor?: AnchorHead,
): OpenAuditLedger {
  const { records, clock, random, settings } = foundation
  return openAuditLedger({
    records,
    clock,
    random,
    objects: auditObjects,
    environment: settings.environment,
    ...(anchor === undefined ? {} : { anchor }),
  })
}

/** Tell each head of the ledger to whoever is notified. */
export function anchorBy({ notifier, random, settings }: Foundation): AnchorHead {
  return (head) =>
    notifier.notify({
      id: newId('alrt', random.bytes(ID_BYTES)),
      severity: 'info',
      eventType: 'audit_anchor',
      title: `Audit segment ${head.number} is sealed`,
      recommendedAction:
        'Keep this message: "backstop audit verify --anchor" proves that nothing before it was cut off.',
      environment: settings.environment,
      at: head.sealedAt,
      facts: { anchor: `${head.number}:${head.sha256}`, entryCount: head.entryCount },
      dedupeKey: `anchor:${head.number}`,
    })
}

export function openApprovals({
  settings,
  records,
  clock,
  random,
  log,
}: Pick<Foundation, 'records' | 'clock' | 'random' | 'log'> & {
  readonly settings: Pick<ProductSettings, 'approvalTimeoutSeconds' | 'isDevMode'>
}): ApprovalDesk {
  const warn = (message: string) => log('warning', 'self_approval', { message })
  return openApprovalDesk({
    store: records,
    clock,
    random,
    pendingMs: settings.approvalTimeoutSeconds * SECOND_MS,
    ...(settings.isDevMode ? { selfApproval: { warn } } : {}),
  })
}

export function openAlerts({ records, notifier, clock, random, settings, metrics }: Foundation): AlertDesk {
  const { environment } = settings
  const onRaised = (eventType: string, status: string) => metrics.noteAlert(eventType, status)
  return openAlertDesk({ records, notifier, clock, random, environment, onRaised })
}

export function openConduct({ records, clock }: Foundation, policy: PolicyKeeper): ConductWatch {
  return openConductWatch({ store: records, clock, limits: () => conductLimitsOf(policy.active().policy) })
}

export function openPause({ records, clock, pauseCacheMs }: Foundation): PauseSwitch {
  return openPauseSwitch({ store: records, clock, ...(pauseCacheMs !== undefined && { cacheMs: pauseCacheMs }) })
}

/** Everything but the HTTP interface and the schedule. Throws CONFIG_INVALID. */
export async function openParts(foundation: Foundation, stores: Stores, policy: PolicyKeeper): Promise<Parts> {
  await loadClassifier()
  const { settings, metrics, clock } = foundation
  const shared = {
    ...foundation,
    ...stores,
    policy,
    ledger: openLedger(foundation, stores.auditObjects, anchorBy(foundation)),
    approvals: openApprovals(foundation),
    conduct: openConduct(foundation, policy),
    pause: openPause(foundation),
    alerts: openAlerts(foundation),
    recovery: openRecovery({ ...foundation, ...stores, ...captureLimits(foundation) }),
  }
  const undo = openUndo(foundation, stores)
  const gate = openQueryGate({
    ...shared,
    ...stores.gateDatabases,
    ...undoKeeper(foundation, undo),
    clock,
    observer: metrics,
    environment: settings.environment,
    clusterId: settings.clusterId,
    policy: () => policy.active(),
  })
  return { ...shared, undo, gate }
}
