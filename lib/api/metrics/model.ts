/** What the parts may count, one call per event. Recorders never throw and never wait. */
import type { RiskLevel } from '#lib/kernel/index.ts'

export type QueryStatus = 'executed' | 'blocked' | 'approval_required' | 'denied' | 'failed' | 'executing'
export type ApprovalOutcome = 'approved' | 'denied' | 'timeout' | 'binding_mismatch'
export type ReadinessReason = 'verified' | 'snapshot_verification' | 'readiness' | 'group'
export type SnapshotOutcome = 'success' | 'failed' | 'verification_failed' | 'metadata_failed'
export type ProtectionPosture = 'healthy' | 'degraded' | 'recovery_only'
export type CaptureHealth = 'starting' | 'healthy' | 'degraded' | 'paused' | 'unhealthy'

/** Counted by the gate. */
export interface GateMetrics {
  noteQuery(query: { readonly riskLevel: RiskLevel; readonly status: QueryStatus; readonly durationMs: number }): void
  noteApproval(outcome: ApprovalOutcome): void
  /** `paused`, `agent_quarantined`, an operation in lower case, `auth_unauthorized`, … */
  noteBlock(reason: string): void
  noteRecoveryVerification(status: 'verified' | 'failed'): void
  noteReadiness(isReady: boolean, reason: ReadinessReason): void
  noteRiskyAttempt(riskLevel: RiskLevel): void
  noteQuarantine(): void
  noteAlert(eventType: string, status: string): void
  setPaused(isPaused: boolean): void
  setPendingApprovals(count: number): void
}

/** Counted by capture and watch. */
export interface RecoveryMetrics {
  noteSnapshot(outcome: SnapshotOutcome, rowCount: number): void
  setLatestSnapshotAge(table: string, ageSeconds: number): void
  noteDroppedTable(): void
  noteBypassConnection(role: string, application: string): void
  setPosture(posture: ProtectionPosture): void
  setCaptureHealth(health: CaptureHealth): void
  /** Stored points that were read again, and the bytes of them all. */
  noteVerified(counts: { readonly ok: number; readonly corrupt: number; readonly unread: number }, bytes: number): void
  /** Points that retention has looked at. */
  noteRetention(outcome: 'removed' | 'kept' | 'failed', count: number): void
  noteDrill(kind: string, result: 'ok' | 'failed' | 'skipped'): void
  setDrillAge(kind: string, ageSeconds: number): void
}

/** Counted by the HTTP interface. */
export interface HttpMetrics {
  /** `route` is a route's name, or `none`. */
  noteRequest(route: string, status: number): void
  noteRefusedCredential(reason: 'auth_unauthorized' | 'auth_forbidden'): void
}

/** The figures as Prometheus reads them. */
export interface MetricsSource {
  readonly contentType: string
  /** Runs the hooks of `beforeScrape` first; a hook that fails leaves its figures as they were. */
  render(): Promise<string>
}

export interface Metrics extends GateMetrics, RecoveryMetrics, HttpMetrics, MetricsSource {
  /** Run `refresh` before each scrape: for figures that are read rather than counted. */
  beforeScrape(refresh: () => Promise<void>): void
}
