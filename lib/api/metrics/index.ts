export type { MetricsOptions } from './create.ts'
export { createMetrics } from './create.ts'
export { createLabelFilter, OTHER_LABEL } from './label.ts'
export type {
  ApprovalOutcome,
  CaptureHealth,
  GateMetrics,
  HttpMetrics,
  Metrics,
  MetricsSource,
  ProtectionPosture,
  QueryStatus,
  ReadinessReason,
  RecoveryMetrics,
  SnapshotOutcome,
} from './model.ts'
export type { MetricName } from './names.ts'
export { METRIC_NAMES } from './names.ts'
