/** Turn the facts about capture, storage and database into the flat health page. */
import type { PauseState } from '#lib/gate/index.ts'
import type { Instant } from '#lib/kernel/index.ts'
import { epochMsOf, instantFrom } from '#lib/kernel/index.ts'
import type { RecoveryHeartbeat } from '#lib/ports/index.ts'
import type { ProtectionPosture } from '../metrics/index.ts'
import type { ApiSettings } from '../model.ts'
import { ageSeconds } from './metadata.ts'

export interface HealthFacts {
  readonly isDatabaseReachable: boolean
  readonly isStorageAccessible: boolean
  readonly heartbeat: RecoveryHeartbeat | undefined
  readonly newestSnapshotAt: Instant | undefined
  /** Undefined: it cannot be known, and then nothing runs. */
  readonly pause: PauseState | undefined
  /** Undefined: it cannot be known. */
  readonly pendingCount: number | undefined
  readonly maxHeartbeatSeconds: number
  /** Undefined: nobody has looked. */
  readonly posture: { readonly status: ProtectionPosture; readonly reasons: readonly string[] } | undefined
}

function sidecarStatus(facts: HealthFacts, heartbeatAgeSeconds: number | null) {
  if (facts.heartbeat === undefined || heartbeatAgeSeconds === null) return 'unknown'
  if (heartbeatAgeSeconds > facts.maxHeartbeatSeconds) return 'stale'
  return facts.heartbeat.isHealthy ? 'healthy' : 'degraded'
}

/**
 * Build the page.
 *
 * Invariants: what could not be looked at never counts as good; a pause state that cannot be read counts as paused
 * Effects:    pure
 */
export function healthView(facts: HealthFacts, settings: ApiSettings, nowMs: number) {
  const { heartbeat, newestSnapshotAt, pause } = facts
  const heartbeatAge = heartbeat === undefined ? null : ageSeconds(epochMsOf(heartbeat.at), nowMs)
  const isSound = facts.isDatabaseReachable && facts.isStorageAccessible && pause !== undefined
  const isPaused = pause?.paused ?? true
  return {
    gateway: isSound ? (isPaused ? 'paused' : 'healthy') : 'degraded',
    sidecar_status: sidecarStatus(facts, heartbeatAge),
    sidecar_detail: heartbeat?.detail ?? null,
    sidecar_heartbeat_age_seconds: heartbeatAge,
    last_snapshot_age_seconds: newestSnapshotAt === undefined ? null : ageSeconds(epochMsOf(newestSnapshotAt), nowMs),
    storage_accessible: facts.isStorageAccessible,
    database_reachable: facts.isDatabaseReachable,
    metadata_accessible: pause !== undefined && facts.pendingCount !== undefined,
    paused: isPaused,
    pending_approvals: facts.pendingCount ?? null,
    prevention_posture: facts.posture?.status ?? 'unknown',
    prevention_detail: facts.posture?.reasons.join('; ') ?? null,
    environment: settings.environment,
    cluster_id: settings.clusterId,
    version: settings.version,
    checked_at: instantFrom(nowMs),
  }
}
