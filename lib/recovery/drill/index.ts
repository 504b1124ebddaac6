export { compareDefinitions } from './compare-definition.ts'
export { listDrills } from './evidence.ts'
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
export { orderCandidates, planScratch } from './plan.ts'
export type { DrillPorts } from './run.ts'
export { runTableDrill } from './run.ts'
export type { WalDrillPorts, WalDrillRequest } from './wal-drill.ts'
export { runWalDrill } from './wal-drill.ts'
