/** The gate over a function's ports: the door that judges, and here or elsewhere runs, agents' statements. */

import type { ApprovalDesk } from '#lib/gate/index.ts'
import { type ExecutionSettings, loadClassifier, type OpenQueryGate, openQueryGate } from '#lib/gate/index.ts'
import type { Columnar, Database, ObjectStore, RecoveryPoints } from '#lib/ports/index.ts'
import {
  captureLimits,
  executionSettings,
  type Foundation,
  type GateDatabases,
  openAlerts,
  openApprovals,
  openConduct,
  openLedger,
  openPause,
  openUndo,
  type ProductSettings,
  undoKeeper,
} from '#lib/product/index.ts'
import { openRecovery, type Recovery } from '#lib/recovery/index.ts'
import type { BucketPolicy } from './policy.ts'
import { NO_BUCKET } from './port/bucket.ts'

export interface DoorPorts {
  /** For look-ups and captures. */
  readonly database: Database
  readonly snapshots: ObjectStore
  readonly columnar: Columnar
  readonly policy: BucketPolicy
  openGateDatabases(execution: ExecutionSettings): Promise<GateDatabases>
}

export interface DoorOptions {
  /** The settings with the limits of this function. */
  readonly settings: ProductSettings
  readonly runsApproved: 'here' | 'elsewhere'
  /** Recovery as the gate is to use it. */
  boundRecovery?(recovery: Recovery): RecoveryPoints
}

export interface Door {
  readonly gate: OpenQueryGate
  readonly approvals: ApprovalDesk
}

/** Throws CONFIG_INVALID, DATABASE_UNREACHABLE. */
export async function openDoor(foundation: Foundation, ports: DoorPorts, options: DoorOptions): Promise<Door> {
  await loadClassifier()
  const { settings, runsApproved, boundRecovery = (recovery) => recovery } = options
  const { policy } = ports
  const execution = await executionSettings(settings, ports.database)
  const approvals = openApprovals(foundation)
  const undo = openUndo(foundation, { database: ports.database, objects: ports.snapshots })
  const gate = openQueryGate({
    ...(await ports.openGateDatabases(execution)),
    ledger: openLedger(foundation, NO_BUCKET),
    approvals,
    pause: openPause(foundation),
    conduct: openConduct(foundation, policy.keeper),
    alerts: openAlerts(foundation),
    recovery: boundRecovery(
      openRecovery({ ...foundation, ...ports, ...captureLimits(foundation), objects: ports.snapshots }),
    ),
    clock: foundation.clock,
    observer: foundation.metrics,
    execution,
    environment: settings.environment,
    clusterId: settings.clusterId,
    policy: () => policy.keeper.active(),
    runsApproved,
    ...undoKeeper(foundation, undo),
  })
  return { gate, approvals }
}
