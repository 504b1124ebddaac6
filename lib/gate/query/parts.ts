/** What the door is put together from. */
import type { RiskLevel } from '#lib/kernel/index.ts'
import type { Clock, Database, RecoveryPoints, UndoImages } from '#lib/ports/index.ts'
import type { AlertDesk } from '../alert/index.ts'
import type { ApprovalDesk } from '../approval/index.ts'
import type { AuditLedger } from '../audit/index.ts'
import type { ConductWatch } from '../conduct/index.ts'
import type { ExecutionSettings } from '../execute/index.ts'
import type { PauseSwitch } from '../pause/index.ts'
import type { ActivePolicy } from '../policy/index.ts'
import type { QueryAnswer } from './model.ts'

/** Figures about what the gate does; implementations must not throw. */
export interface GateObserver {
  noteQuery(query: {
    readonly riskLevel: RiskLevel
    readonly status: QueryAnswer['status']
    readonly durationMs: number
  }): void
  noteBlock(reason: string): void
  noteReadiness(isReady: boolean, reason: 'verified' | 'snapshot_verification' | 'readiness' | 'group'): void
  noteRecoveryVerification(status: 'verified' | 'failed'): void
  noteRiskyAttempt(riskLevel: RiskLevel): void
  noteQuarantine(): void
  noteApproval(outcome: 'approved' | 'denied' | 'timeout' | 'binding_mismatch'): void
}

/** Which writes keep their pre-images: those that were approved, or also those that run at once by policy. */
export interface UndoKeeper extends Pick<UndoImages, 'mark' | 'keep'> {
  readonly writes: 'approved' | 'all'
}

export interface GateParts {
  /** For assessments and pure reads; its sessions may share round trips. */
  readonly reads: Database
  /** For writes; its sessions can COPY, for the final snapshot. */
  readonly writes: Database
  readonly ledger: AuditLedger
  readonly approvals: ApprovalDesk
  readonly conduct: ConductWatch
  readonly pause: PauseSwitch
  readonly alerts: AlertDesk
  readonly recovery: RecoveryPoints
  /** Absent: no pre-images are kept. */
  readonly undo?: UndoKeeper
  readonly clock: Clock
  readonly observer: GateObserver
  readonly execution: ExecutionSettings
  readonly environment: string
  readonly clusterId: string
  /** `elsewhere`: this door judges and holds, and leaves an approved statement to another one that has more time. */
  readonly runsApproved?: 'here' | 'elsewhere' // default here
  policy(): ActivePolicy
}
