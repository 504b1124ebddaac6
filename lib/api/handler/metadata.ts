/** Recovery points, audit events, alerts and health. */
import { jsonAnswer, textAnswer } from '../answer/index.ts'
import { alertView, auditView, healthView, pageView, setView, snapshotView } from '../view/index.ts'
import { audited } from './audited.ts'
import type { Handler } from './model.ts'
import { decodeTableName } from './table-name.ts'

export const listSnapshots: Handler<'listSnapshots'> = async (context, { query }) => {
  const { services } = context
  const isNewestValid = query.latest === 'valid' || query.latest_valid === 'true'
  const points = await services.snapshots.list({
    ...(query.table === undefined ? {} : decodeTableName(query.table)),
    isValidOnly: isNewestValid,
    limit: isNewestValid ? 1 : query.limit,
  })
  const nowMs = services.clock.nowMs()
  return jsonAnswer(
    200,
    points.map((point) => snapshotView(point, nowMs)),
  )
}

export const listSets: Handler<'listSets'> = async ({ services }, { query }) => {
  const { limit, cursor } = query
  const page = await services.sets.list({ limit, ...(cursor === undefined ? {} : { cursor }) })
  return jsonAnswer(200, pageView(page.sets.map(setView), page.cursor))
}

export const captureTable: Handler<'captureTable'> = async (context, { query }) => {
  const { services } = context
  const { schema = 'public', table } = decodeTableName(query.table)
  const intent = { action: 'snapshot', facts: { schema, table } }
  const point = await audited(context, intent, () => services.capture({ schema, name: table }))
  return jsonAnswer(200, snapshotView(point, services.clock.nowMs()))
}

export const listAudit: Handler<'listAudit'> = async ({ services, settings }, { query }) => {
  const page = await services.audit.list({
    limit: query.limit,
    ...(query.agent_id === undefined ? {} : { agentId: query.agent_id }),
    ...(query.risk === undefined ? {} : { riskLevel: query.risk }),
    ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
  })
  const items = page.events.map((event) => auditView(event, settings))
  return jsonAnswer(200, pageView(items, page.cursor))
}

export const listAlerts: Handler<'listAlerts'> = async ({ services }, { query }) => {
  const { limit, cursor } = query
  const page = await services.alerts.list({ limit, ...(cursor === undefined ? {} : { cursor }) })
  return jsonAnswer(200, pageView(page.alerts.map(alertView), page.cursor))
}

const MOST_COUNTED = 1_000

/** What a failing probe means is decided by the page: never something good. */
async function unless<T>(probe: () => Promise<T>): Promise<T | undefined> {
  try {
    return await probe()
  } catch {
    return undefined
  }
}

export const readHealthDetails: Handler<'readHealthDetails'> = async ({ services, settings }) => {
  const { health } = services
  const [isDatabaseReachable, isStorageAccessible, heartbeat, newestSnapshotAt, pause, pending, posture] =
    await Promise.all([
      unless(() => health.isDatabaseReachable()),
      unless(() => health.isStorageAccessible()),
      unless(() => health.findHeartbeat()),
      unless(() => health.findNewestSnapshotAt()),
      unless(() => services.pause.current()),
      unless(() => services.approvals.list({ state: 'pending', limit: MOST_COUNTED })),
      unless(async () => health.findPosture?.()),
    ])
  const facts = {
    isDatabaseReachable: isDatabaseReachable ?? false,
    isStorageAccessible: isStorageAccessible ?? false,
    heartbeat,
    newestSnapshotAt,
    pause,
    pendingCount: pending?.approvals.length,
    posture,
    maxHeartbeatSeconds: services.policy().policy.max_sidecar_heartbeat_seconds,
  }
  return jsonAnswer(200, healthView(facts, settings, services.clock.nowMs()))
}

export const readMetrics: Handler<'readMetrics'> = async ({ services }) =>
  textAnswer(await services.metrics.render(), services.metrics.contentType)
