export type { AttemptPorts, DrillHead } from './attempt.ts'
export { noteUnrunnable } from './attempt.ts'
export { compareDefinitions } from './compare-definition.ts'
export { listDrills } from './evidence.ts'
export type { LogicalDrillPorts, LogicalDrillRequest } from './logical-drill.ts'
export { runLogicalDrill } from './logical-drill.ts'
export type {
  DrillEvidence,
  DrillFilter,
  DrillKind,
  DrillPage,
  DrillRequest,
  DrillStep,
  StoredDrill,
} from './model.ts'
export { DRILL_KINDS } from './model.ts'
export type { PrepareDrillPorts, PrepareDrillRequest } from './pitr-prepare-drill.ts'
export { runPrepareDrill } from './pitr-prepare-drill.ts'
export type { RestoreDrillPorts, RestoreDrillRequest } from './pitr-restore-drill.ts'
export { runRestoreDrill } from './pitr-restore-drill.ts'
export { orderCandidates, planScratch } from './plan.ts'
export type { EvidenceFilter, EvidenceList } from './read-evidence.ts'
export { readEvidence } from './read-evidence.ts'
export type { DrillPorts } from './run.ts'
export { runTableDrill } from './run.ts'
export type { WalDrillPorts, WalDrillRequest } from './wal-drill.ts'
export { runWalDrill } from './wal-drill.ts'
