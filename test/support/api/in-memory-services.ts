/** Everything behind the HTTP interface, in memory and without rules of its own. */

import type { ApiServices, ApiSettings, ListedAlert, ListedSet } from '#lib/api/index.ts'
import { createMetrics, createTokenRegistry, DEFAULT_LIMITS, identifyByTokens } from '#lib/api/index.ts'
import type { ActivePolicy, AuditEvent, AuditIntent, AuditResult, PauseState } from '#lib/gate/index.ts'
import type { AuditId, Instant, RelationName, Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { InMemoryApprovals } from './in-memory-approvals.ts'
import { InMemoryGate } from './in-memory-gate.ts'

export const AT = '2030-01-01T00:00:00.000Z' as Instant
export const NOW_MS = 1_893_456_000_000
const DIGEST = 'b'.repeat(64) as Sha256Hex

export const TOKENS = {
  agent: 'agent-token-0123456789',
  bound: 'bound-token-0123456789',
  reader: 'reader-token-0123456789',
  operator: 'operator-token-0123456789',
  admin: 'admin-token-0123456789',
  metrics: 'metrics-token-0123456789',
} as const

export const TOKEN_FILE = JSON.stringify([
  { id: 'agent', token: TOKENS.agent, scopes: ['query:execute', 'query:analyze'] },
  { id: 'bound', token: TOKENS.bound, scopes: ['query:*'], agent_ids: ['billing-bot'] },
  { id: 'reader', token: TOKENS.reader, scopes: ['approval:read', 'metadata:read', 'query:analyze'] },
  { id: 'operator', token: TOKENS.operator, scopes: ['approval:*', 'metadata:read'] },
  { id: 'admin', token: TOKENS.admin, scopes: ['admin:*'] },
  { id: 'metrics', token: TOKENS.metrics, scopes: ['metrics:read'] },
])

const POLICY: ActivePolicy = {
  policy: {
    require_approval_for_risks: ['HIGH', 'IMPACT_CRITICAL', 'CRITICAL'],
    block_operations: ['DROP DATABASE', 'DROP SCHEMA'],
    require_recovery_for_critical: true,
    block_unknown_or_parse_failure: true,
    block_unrecoverable_operations: true,
    max_snapshot_age_seconds: 300,
    require_sidecar_heartbeat: true,
    max_sidecar_heartbeat_seconds: 120,
    require_object_checksum: false,
    require_undo_for_writes: false,
    impact_analysis_enabled: true,
    max_write_rows_without_critical: 1_000,
    max_write_percent_without_critical: 50,
    protected_tables: [],
    protected_columns: {},
    unknown_impact_action: 'approve',
    recovery_groups: {},
    foreign_key_grouping_enabled: false,
    cascade_risk_requires_group_readiness: false,
    max_blocked_attempts_per_window: 3,
    quarantine_duration_seconds: 1_800,
    dangerous_retry_window_seconds: 600,
    quarantine_blocks_safe_queries: false,
  },
  levelActions: { HIGH: 'execute' },
  version: DIGEST,
}

export function recoveryPoint(table: string, digit: string, status: RecoveryPoint['status'] = 'valid'): RecoveryPoint {
  return {
    snapshotId: `snap_${digit.repeat(32)}`,
    relation: { schema: 'public', name: table },
    relationOid: 16_384,
    status,
    origin: 'schedule',
    capturedAt: AT,
    rowCount: 3,
    sizeBytes: 1_024,
    manifestKey: `snapshots/${table}/${digit}/manifest.json`,
    manifestSha256: DIGEST,
  }
}

function createPause() {
  let state: PauseState = { paused: false, reason: '', changedBy: '', changedAt: AT, blocksSafe: false }
  return {
    current: async () => state,
    read: async () => state,
    async pause(changedBy: string, reason: string, blocksSafe: boolean) {
      state = { paused: true, reason, changedBy, changedAt: AT, blocksSafe }
      return state
    },
    async resume(changedBy: string, reason: string) {
      state = { paused: false, reason, changedBy, changedAt: AT, blocksSafe: false }
      return state
    },
  }
}

export class InMemoryLedger {
  readonly events: AuditEvent[] = []
  isBroken = false

  async begin(intent: AuditIntent): Promise<AuditId> {
    if (this.isBroken) throw new BackstopError('AUDIT_UNAVAILABLE', 'the ledger is out of reach')
    const id: AuditId = `aud_${this.events.length + 1}`
    this.events.push({ id, at: AT, environment: 'test', intent })
    return id
  }

  async finish(id: AuditId, result: AuditResult): Promise<void> {
    const index = this.events.findIndex((event) => event.id === id)
    const event = this.events[index]
    if (event === undefined) throw new Error('no such event')
    this.events[index] = { ...event, result, finishedAt: AT }
  }

  async record(intent: AuditIntent, result: AuditResult): Promise<AuditId> {
    const id = await this.begin(intent)
    await this.finish(id, result)
    return id
  }
}

const ALERT: ListedAlert = {
  status: 'sent',
  alert: {
    id: 'alrt_1',
    severity: 'critical',
    eventType: 'emergency_paused',
    title: 'The gateway is paused',
    recommendedAction: 'Find out why, then resume.',
    environment: 'test',
    at: AT,
    facts: { by: 'admin' },
  },
}

function createReaders(ledger: InMemoryLedger, points: RecoveryPoint[]) {
  return {
    audit: {
      async list(filter: { agentId?: string; riskLevel?: string; limit: number }) {
        const events = ledger.events.filter(
          ({ intent }) =>
            (filter.agentId === undefined || intent.agentId === filter.agentId) &&
            (filter.riskLevel === undefined || intent.riskLevel === filter.riskLevel),
        )
        return { events: events.reverse().slice(0, filter.limit) }
      },
    },
    alerts: {
      list: async () => ({ alerts: [ALERT] }),
      raise: async () => ({ alertId: 'alrt_2', status: 'recorded' }) as const,
    },
    snapshots: {
      async list(filter: { schema?: string; table?: string; isValidOnly: boolean; limit: number }) {
        const found = points.filter(
          ({ relation, status }) =>
            (filter.table === undefined || relation.name === filter.table) &&
            (filter.schema === undefined || relation.schema === filter.schema) &&
            (!filter.isValidOnly || status === 'valid'),
        )
        return found.slice(0, filter.limit)
      },
    },
    sets: {
      list: async ({ limit }: { limit: number }) => ({ sets: [SET].slice(0, limit), cursor: 'older' }),
    },
  }
}

export const SET: ListedSet = {
  setId: `set_${'5'.repeat(32)}`,
  status: 'valid',
  origin: 'schedule',
  capturedAt: AT,
  lsn: '0/1A2B3C',
  selection: { kind: 'group', group: 'checkout' },
  members: [{ snapshotId: 'snap_1', relation: { schema: 'public', name: 'orders' }, rowCount: 7, sizeBytes: 512 }],
  manifestKey: 'sets/set_5/manifest.json',
  manifestSha256: '5'.repeat(64),
}

export function createInMemoryServices(tokenText: string | undefined = TOKEN_FILE, isDevMode = false) {
  const clock = { nowMs: () => NOW_MS, monotonicMs: () => performance.now() }
  const tokens = createTokenRegistry({ ...(tokenText === undefined ? {} : { text: tokenText }), isDevMode, clock })
  const approvals = new InMemoryApprovals()
  const ledger = new InMemoryLedger()
  const points = [recoveryPoint('users', '2'), recoveryPoint('orders', '3', 'invalid'), recoveryPoint('users', '1')]
  const defects: { readonly error: unknown; readonly correlationId: string }[] = []
  const released: string[] = []
  let idCount = 0
  const services = {
    gate: new InMemoryGate(approvals),
    approvals,
    ledger,
    ...createReaders(ledger, points),
    pause: createPause(),
    conduct: {
      findQuarantine: async () => undefined,
      noteAttempt: async () => undefined,
      release: async (principal: string) => void released.push(principal),
      list: async () => [{ principal: 'agent', attempts: 3, since: AT, until: AT }],
    },
    health: {
      isDatabaseReachable: async () => true,
      isStorageAccessible: async () => true,
      findHeartbeat: async () => ({ at: AT, isHealthy: true, detail: 'all tables fresh' }),
      findNewestSnapshotAt: async () => AT,
    },
    identify: identifyByTokens(tokens),
    listTokens: async () => tokens.list(),
    metrics: createMetrics({ version: '1.2.3', environment: 'test', hasProcessMetrics: false }),
    clock,
    random: {
      bytes(count: number) {
        idCount += 1
        return new Uint8Array(count).fill(idCount % 256)
      },
    },
    policy: () => POLICY,
    capture: async (relation: RelationName) => recoveryPoint(relation.name, '9'),
    reportDefect: (error: unknown, correlationId: string) => void defects.push({ error, correlationId }),
    defects,
    released,
  } satisfies ApiServices & { defects: unknown; released: unknown }
  return services
}

export const SETTINGS: ApiSettings = {
  environment: 'test',
  clusterId: 'test-cluster',
  version: '1.2.3',
  isDevMode: false,
  limits: DEFAULT_LIMITS,
  anonymousRoutes: [],
}
