/** What the product is made of. */
import type { Metrics } from '#lib/api/index.ts'
import type {
  AlertDesk,
  ApprovalDesk,
  ConductWatch,
  ExecutionSettings,
  OpenAuditLedger,
  OpenQueryGate,
  PauseSwitch,
  PolicyKeeper,
} from '#lib/gate/index.ts'
import type { Clock, Columnar, Database, Notifier, ObjectStore, Random, RecordStore } from '#lib/ports/index.ts'
import type { CopyElsewhere, OpenUndoImages, RangeHelpers, Recovery } from '#lib/recovery/index.ts'
import type { Log } from './log.ts'
import type { ProductSettings } from './settings.ts'

/** What every part stands on. */
export interface Foundation {
  readonly settings: ProductSettings
  readonly records: RecordStore
  readonly notifier: Notifier
  readonly metrics: Metrics
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** How long a look at the emergency pause may be used again. 0 where an instance can be frozen: its clock stands still too. */
  readonly pauseCacheMs?: number
}

/** For agents' statements; both lend their sessions with the settings of `execution` pinned. */
export interface GateDatabases {
  readonly reads: Database
  readonly writes: Database
}

export interface Stores {
  /** For captures, restores and probes. */
  readonly database: Database
  readonly gateDatabases: GateDatabases
  readonly execution: ExecutionSettings
  /** Recovery points. */
  readonly objects: ObjectStore
  /** Sealed segments of the ledger; may be the same store. */
  readonly auditObjects: ObjectStore
  readonly columnar: Columnar
  /** Who captures ranges of large tables beside the session that holds their snapshot; absent: nobody. */
  readonly helpers?: RangeHelpers
  /** Who makes the copies of large tables in place of this thread; absent: nobody. */
  readonly copyElsewhere?: CopyElsewhere
}

export interface Parts extends Foundation, Stores {
  readonly ledger: OpenAuditLedger
  readonly approvals: ApprovalDesk
  readonly conduct: ConductWatch
  readonly pause: PauseSwitch
  readonly alerts: AlertDesk
  readonly recovery: Recovery
  readonly undo: OpenUndoImages
  readonly gate: OpenQueryGate
  readonly policy: PolicyKeeper
}
