export type { RecoveryAlert } from './alert.ts'
export { captureFailedAlert, captureLostAlert, checkAlerts, drillAlerts, roundAlerts, verifyAlerts } from './alert.ts'
export type { BackupList, BackupProblem, SweepReport } from './backup/index.ts'
export { proveContent, sweepBackups } from './backup/index.ts'
export type { PointFilter, PointPage, ScanProblem, ScanReport } from './catalog/index.ts'
export { CLOCK_SKEW_MS } from './catalog/index.ts'
export type {
  NativeToolsReport,
  StorageExamination,
  StorageFacts,
  StorageProblem,
  ToolReport,
} from './doctor/index.ts'
export { examineNativeTools, examineStorage } from './doctor/index.ts'
export type {
  DrillEvidence,
  DrillFilter,
  DrillKind,
  DrillPage,
  DrillRequest,
  DrillStep,
  EvidenceFilter,
  EvidenceList,
  LogicalDrillPorts,
  LogicalDrillRequest,
  PrepareDrillPorts,
  PrepareDrillRequest,
  RestoreDrillPorts,
  RestoreDrillRequest,
  StoredDrill,
  WalDrillPorts,
  WalDrillRequest,
} from './drill/index.ts'
export {
  DRILL_KINDS,
  noteUnrunnable,
  readEvidence,
  runLogicalDrill,
  runPrepareDrill,
  runRestoreDrill,
  runWalDrill,
} from './drill/index.ts'
export type { CarriedOut, CarryOutPorts, FanOutPorts, FanOutSizes, RangeWork } from './fan-out/index.ts'
export { carryOutRange, decodeRangeWork, fanOutHelpers, sendTo } from './fan-out/index.ts'
export type { CreateLogicalOrder, LogicalBackup, LogicalPorts, RestoreLogicalOrder } from './logical/index.ts'
export { createLogicalBackup, listLogicalBackups, restoreLogicalBackup } from './logical/index.ts'
export type { Manifest, SealedManifest } from './manifest/index.ts'
export type { Recovery, RecoveryOptions } from './model.ts'
export { openRecovery } from './open.ts'
export type {
  BaseBackup,
  BaseBackupOrder,
  PitrPorts,
  PrepareOrder,
  PrepareReport,
  RecoveryTarget,
  TargetAction,
  WrittenTarget,
} from './pitr/index.ts'
export {
  chooseBaseBackup,
  listBaseBackups,
  prepareRestore,
  proveBackup,
  readTablespaceMapping,
  readTarget,
  takeBaseBackup,
} from './pitr/index.ts'
export type {
  ConflictPolicy,
  CopybackKind,
  CopybackPlan,
  NotRebuilt,
  RestoreProgress,
  RestoreReport,
  RestoreRequest,
  RestoreValidation,
  RowDifference,
} from './restore/index.ts'
export { defaultTarget } from './restore/index.ts'
export type {
  Keep,
  KeepKind,
  KeepReason,
  KeptPoint,
  RemovedPoint,
  RemoveReason,
  RetentionFailure,
  RetentionPolicy,
  RetentionReport,
  RetentionRequest,
  SweptFolder,
} from './retention/index.ts'
export { retentionAlerts } from './retention/index.ts'
export type {
  CaptureOrder,
  CaptureOutcome,
  CopyElsewhere,
  QuarantinedPoint,
  RoundFailure,
  RoundPlan,
  RoundPolicy,
  RoundReport,
} from './round/index.ts'
export { decodeCaptureOrder } from './round/index.ts'
export type {
  CapturedSet,
  SelectionKind,
  SetCopybackPlan,
  SetPage,
  SetPlace,
  SetPlan,
  SetRestoreReport,
  SetScan,
  SetSelection,
  StoredSet,
} from './set/index.ts'
export type { HelperSizes, RangeHelpers } from './snapshot/index.ts'
export { sessionHelpers } from './snapshot/index.ts'
export type { StopOptions } from './stoppable.ts'
export type { OpenUndoImages } from './undo/index.ts'
export { openUndoImages } from './undo/index.ts'
export type {
  CheckedPoint,
  CheckPointRequest,
  CorruptPoint,
  PointVerdict,
  VerifyPointsReport,
  VerifyPointsRequest,
} from './verify/index.ts'
export { judgePoint } from './verify/index.ts'
export type {
  ArchivedFile,
  ArchiveListing,
  ArchiveOrder,
  ArchiveReport,
  FetchOrder,
  FetchResult,
  Gap,
  SegmentFacts,
  TimelineSummary,
  VerifyWalOrder,
  WalVerification,
} from './wal/index.ts'
export { archiveWal, fetchWal, findGaps, findSystem, formatLsn, listArchive, verifyWal } from './wal/index.ts'
export type {
  DirectSession,
  DroppedTable,
  Posture,
  SeenTable,
  StaleTable,
  TableLook,
  WatchReport,
  WatchSettings,
} from './watch/index.ts'
export { AGENT_ROLE_MARK, droppedAlerts, staleAlert } from './watch/index.ts'
