/** What the HTTP interface is handed, from the parts. */
import type { ApiServices, ApiSettings } from '#lib/api/index.ts'
import { DEFAULT_LIMITS } from '#lib/api/index.ts'
import type { AuditLedger, OpenAuditLedger } from '#lib/gate/index.ts'
import type { Instant } from '#lib/kernel/index.ts'
import type { Database, ObjectStore, RecordStore, RecoveryPoint } from '#lib/ports/index.ts'
import type { Recovery } from '#lib/recovery/index.ts'
import type { Log } from './log.ts'
import type { Parts } from './model.ts'
import { findPosture } from './posture.ts'
import type { ProductSettings } from './settings.ts'
import { undoDeskOf } from './undo.ts'

const PAGE = 200
const MAX_PAGES = 25

type PointLister = Pick<Recovery, 'list'>

/** Walk the catalog newest first until enough points match. */
async function findPoints(recovery: PointLister, limit: number, matches: (point: RecoveryPoint) => boolean) {
  const found: RecoveryPoint[] = []
  let cursor: string | undefined
  for (let page = 0; page < MAX_PAGES && found.length < limit; page++) {
    const next = await recovery.list({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) })
    found.push(...next.points.filter(matches))
    cursor = next.cursor
    if (cursor === undefined) break
  }
  return found.slice(0, limit)
}

async function newestSnapshotAt(recovery: PointLister): Promise<Instant | undefined> {
  const [newest] = await findPoints(recovery, 1, (point) => point.status === 'valid')
  return newest?.confirmedAt ?? newest?.capturedAt
}

export function snapshotReader(recovery: PointLister): ApiServices['snapshots'] {
  return {
    list: ({ schema, table, isValidOnly, limit }) =>
      findPoints(
        recovery,
        limit,
        (point) =>
          (schema === undefined || point.relation.schema === schema) &&
          (table === undefined || point.relation.name === table) &&
          (!isValidOnly || point.status === 'valid'),
      ),
  }
}

export function auditReader(ledger: Pick<OpenAuditLedger, 'list'>): ApiServices['audit'] {
  return {
    list: ({ riskLevel, ...filter }) =>
      ledger.list({ ...filter, ...(riskLevel === undefined ? {} : { risk: riskLevel }) }),
  }
}

export function healthProbes(
  database: Database,
  objects: ObjectStore,
  recovery: Pick<Recovery, 'list' | 'findHeartbeat'>,
  records: RecordStore,
): ApiServices['health'] {
  return {
    isDatabaseReachable: () => database.withSession((session) => session.query('SELECT 1')).then(() => true),
    isStorageAccessible: () => objects.list('snapshots/').then(() => true),
    findHeartbeat: () => recovery.findHeartbeat(),
    findNewestSnapshotAt: () => newestSnapshotAt(recovery),
    findPosture: () => findPosture(records),
  }
}

export function defectReporter(log: Log): ApiServices['reportDefect'] {
  return (error, correlationId) =>
    log('error', 'defect', {
      correlationId,
      stack: error instanceof Error ? (error.stack ?? error.message) : 'unknown',
    })
}

type Identity = Pick<ApiServices, 'identify' | 'listTokens'>

/** Over all the parts. */
export function servicesOf(parts: Parts, identity: Identity): ApiServices {
  const { recovery } = parts
  const ledger: AuditLedger = parts.ledger
  return {
    ...parts,
    ...identity,
    ledger,
    undo: undoDeskOf(parts),
    audit: auditReader(parts.ledger),
    snapshots: snapshotReader(recovery),
    sets: recovery.sets,
    health: healthProbes(parts.database, parts.objects, recovery, parts.records),
    policy: () => parts.policy.active(),
    capture: (relation) => recovery.capture(relation, 'manual'),
    reportDefect: defectReporter(parts.log),
  }
}

export function apiSettings(settings: ProductSettings, version: string): ApiSettings {
  const { environment, clusterId, isDevMode, ratePerSecond } = settings
  return {
    environment,
    clusterId,
    version,
    isDevMode,
    limits: { ...DEFAULT_LIMITS, rate: { perSecond: ratePerSecond, burst: ratePerSecond * 2 } },
    anonymousRoutes: settings.hasPublicMetrics ? ['readMetrics', 'readHealthDetails'] : [],
  }
}
