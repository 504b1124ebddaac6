/** The HTTP interface over the parts. */
import {
  type Api,
  type ApiServices,
  createApi,
  DEFAULT_LIMITS,
  LOOPBACK_HOSTS,
  type TokenRegistry,
} from '#lib/api/index.ts'
import type { Instant } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { RuntimeConfig } from './config.ts'
import type { Log } from './log.ts'
import type { Parts } from './parts.ts'
import { SYSTEM } from './system.ts'

const PAGE = 200
const MAX_PAGES = 25

/** Walk the catalog newest first until enough points match. */
async function findPoints(parts: Parts, limit: number, matches: (point: RecoveryPoint) => boolean) {
  const found: RecoveryPoint[] = []
  let cursor: string | undefined
  for (let page = 0; page < MAX_PAGES && found.length < limit; page++) {
    const next = await parts.recovery.list({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) })
    found.push(...next.points.filter(matches))
    cursor = next.cursor
    if (cursor === undefined) break
  }
  return found.slice(0, limit)
}

async function newestSnapshotAt(parts: Parts): Promise<Instant | undefined> {
  const [newest] = await findPoints(parts, 1, (point) => point.status === 'valid')
  return newest?.confirmedAt ?? newest?.capturedAt
}

function servicesOf(parts: Parts, tokens: TokenRegistry, log: Log): ApiServices {
  return {
    ...parts,
    ...SYSTEM,
    tokens,
    audit: {
      list: ({ riskLevel, ...filter }) =>
        parts.ledger.list({ ...filter, ...(riskLevel === undefined ? {} : { risk: riskLevel }) }),
    },
    snapshots: {
      list: ({ schema, table, isValidOnly, limit }) =>
        findPoints(
          parts,
          limit,
          (point) =>
            (schema === undefined || point.relation.schema === schema) &&
            (table === undefined || point.relation.name === table) &&
            (!isValidOnly || point.status === 'valid'),
        ),
    },
    health: {
      isDatabaseReachable: () => parts.database.withSession((session) => session.query('SELECT 1')).then(() => true),
      isStorageAccessible: () => parts.objects.list('snapshots/').then(() => true),
      findHeartbeat: () => parts.recovery.findHeartbeat(),
      findNewestSnapshotAt: () => newestSnapshotAt(parts),
    },
    policy: () => parts.policy.active(),
    capture: (relation) => parts.recovery.capture(relation, 'manual'),
    reportDefect: (error, correlationId) =>
      log('error', 'defect', {
        correlationId,
        stack: error instanceof Error ? (error.stack ?? error.message) : 'unknown',
      }),
  }
}

export function openApi(config: RuntimeConfig, parts: Parts, tokens: TokenRegistry, version: string, log: Log): Api {
  const isLoopback = ['127.0.0.1', 'localhost', '::1'].includes(config.host)
  return createApi(servicesOf(parts, tokens, log), {
    environment: config.environment,
    clusterId: config.clusterId,
    version,
    isDevMode: config.isDevMode,
    limits: { ...DEFAULT_LIMITS, rate: { perSecond: config.ratePerSecond, burst: config.ratePerSecond * 2 } },
    ...(isLoopback ? { allowedHosts: LOOPBACK_HOSTS } : {}),
    anonymousRoutes: config.hasPublicMetrics ? ['readMetrics', 'readHealthDetails'] : [],
  })
}
