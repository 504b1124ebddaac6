/** What the HTTP interface needs from the parts behind it, and its settings. */
import type {
  ActivePolicy,
  AlertDesk,
  ApprovalDesk,
  AuditEvent,
  AuditLedger,
  ConductWatch,
  PauseSwitch,
  QueryGate,
  RaisedAlert,
  UndoDesk,
} from '#lib/gate/index.ts'
import type { Instant, RelationName, RiskLevel } from '#lib/kernel/index.ts'
import type { Clock, HttpRequest, Random, RecoveryHeartbeat, RecoveryPoint } from '#lib/ports/index.ts'
import type { LimitSettings } from './limit/index.ts'
import type { GateMetrics, HttpMetrics, MetricsSource, ProtectionPosture } from './metrics/index.ts'
import type { RouteFunction } from './route/index.ts'
import type { Identification, TokenSummary } from './token/index.ts'

export interface AuditReader {
  /** Newest first. Throws CURSOR_INVALID. */
  list(filter: {
    readonly agentId?: string
    readonly riskLevel?: RiskLevel
    readonly limit: number
    readonly cursor?: string
  }): Promise<{ readonly events: readonly AuditEvent[]; readonly cursor?: string }>
}

/** An alert and how far its delivery has come: `recorded`, `sent`, `failed` or `failed_http_<code>`. */
export type ListedAlert = RaisedAlert

export interface AlertReader extends Pick<AlertDesk, 'raise'> {
  /** Newest first. Throws CURSOR_INVALID. */
  list(filter: {
    readonly limit: number
    readonly cursor?: string
  }): Promise<{ readonly alerts: readonly ListedAlert[]; readonly cursor?: string }>
}

export interface SnapshotReader {
  /** Newest first. Without a schema: the table of that name in every schema. */
  list(filter: {
    readonly schema?: string
    readonly table?: string
    readonly isValidOnly: boolean
    readonly limit: number
  }): Promise<readonly RecoveryPoint[]>
}

/** A set of tables that were captured at one instant. */
export interface ListedSet {
  readonly setId: string
  readonly status: 'valid' | 'invalid'
  readonly problem?: string
  readonly origin: RecoveryPoint['origin']
  readonly capturedAt: Instant
  readonly lsn: string
  readonly selection: {
    readonly kind: 'tables' | 'group' | 'connected' | 'dependencies'
    readonly group: string | null
  }
  readonly members: readonly Pick<RecoveryPoint, 'snapshotId' | 'relation' | 'rowCount' | 'sizeBytes'>[]
  readonly manifestKey: string
  readonly manifestSha256: string
}

export interface SetReader {
  /** Newest first. Throws CURSOR_INVALID. */
  list(filter: {
    readonly limit: number
    readonly cursor?: string
  }): Promise<{ readonly sets: readonly ListedSet[]; readonly cursor?: string }>
}

/** Facts for `/metadata/health`. A probe that rejects counts as a no. */
export interface HealthProbes {
  isDatabaseReachable(): Promise<boolean>
  isStorageAccessible(): Promise<boolean>
  findHeartbeat(): Promise<RecoveryHeartbeat | undefined>
  /** When the newest valid recovery point of any table was taken. */
  findNewestSnapshotAt(): Promise<Instant | undefined>
  /** How well agents are kept to the gate, as the last look saw it. Absent: nobody looks. */
  findPosture?(): Promise<{ readonly status: ProtectionPosture; readonly reasons: readonly string[] } | undefined>
}

export interface ApiServices {
  readonly gate: QueryGate
  readonly approvals: ApprovalDesk
  readonly pause: PauseSwitch
  readonly conduct: ConductWatch
  readonly ledger: AuditLedger
  /** Absent: the routes of undo answer that nothing is kept. */
  readonly undo?: UndoDesk
  readonly audit: AuditReader
  readonly alerts: AlertReader
  /** Names of the targets that alerts go to; absent: another process knows them. */
  readonly alertTargets?: readonly string[]
  readonly snapshots: SnapshotReader
  readonly sets: SetReader
  readonly health: HealthProbes
  readonly metrics: MetricsSource & HttpMetrics & Pick<GateMetrics, 'noteApproval'>
  readonly clock: Clock
  readonly random: Random
  /** Who sends the request. Must not throw: what cannot be found out is `unavailable`. */
  identify(request: HttpRequest): Identification
  /** The tokens in force, without what would let anybody use them. */
  listTokens(): Promise<readonly TokenSummary[]>
  policy(): ActivePolicy
  /** Take a recovery point now. Throws TABLE_MISSING and what makes a point invalid. */
  capture(relation: RelationName): Promise<RecoveryPoint>
  /** Called for every error without a code: a defect. Must not throw. */
  reportDefect(error: unknown, correlationId: string): void
}

/** Routes that a deployment may open to callers without a token. */
export type AnonymousRoute = 'readMetrics' | 'readHealthDetails'

export interface ApiSettings {
  readonly environment: string
  readonly clusterId: string
  readonly version: string
  readonly isDevMode: boolean
  readonly limits: LimitSettings
  /** Host names that requests may use, without port; absent: any. Set it where the server listens on loopback. */
  readonly allowedHosts?: readonly string[]
  /** Empty by default. A credential that is presented is checked all the same. */
  readonly anonymousRoutes: readonly AnonymousRoute[]
  /** Answer the routes of this function alone; absent: all of them. */
  readonly servedBy?: RouteFunction
}

/** The names of the loopback interface, for `allowedHosts`. */
export const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '[::1]']
