/** What is looked for on the clock's word: sessions past the gate, tables that are gone, points that age, a capture that stands still. */
import { epochMsOf, type Instant, MINUTE_MS, SECOND_MS } from '#lib/kernel/index.ts'
import {
  type DroppedTable,
  droppedAlerts,
  type RecoveryAlert,
  staleAlert,
  type TableLook,
  type WatchReport,
} from '#lib/recovery/index.ts'
import { isAllowedTable } from './allowed-table.ts'
import { sortDrops } from './gate-drops.ts'
import type { Parts } from './model.ts'
import { notePosture } from './posture.ts'

type WatchParts = Pick<Parts, 'recovery' | 'alerts' | 'metrics' | 'settings' | 'log' | 'clock' | 'records'>

export interface SessionWatch {
  /** Roles of agents beyond the configured one. */
  readonly agentRoles?: readonly string[]
  /** Absent where several processes share the gateway's role. */
  ownProcessIds?(): readonly number[]
  ownSessionNames?(): readonly string[]
}

/** Look for agents that go round the gate; each finding is told once an hour. */
export async function watchSessions(parts: WatchParts, watch: SessionWatch = {}): Promise<WatchReport> {
  const { agentRole } = parts.settings
  const { ownProcessIds, ownSessionNames } = watch
  const report = await parts.recovery.runWatch({
    agentRoles: [...(agentRole === undefined ? [] : [agentRole]), ...(watch.agentRoles ?? [])],
    ...(ownProcessIds === undefined ? {} : { ownProcessIds: () => ownProcessIds() }),
    ...(ownSessionNames === undefined ? {} : { ownSessionNames: () => ownSessionNames() }),
  })
  for (const { user, applicationName } of report.newSessions) parts.metrics.noteBypassConnection(user, applicationName)
  parts.metrics.setPosture(report.posture.status)
  await notePosture(parts, report.posture)
  for (const finding of report.news) await parts.alerts.raise(finding)
  for (const { subject, reason } of report.newlySkipped) parts.log('info', 'watch_skipped', { subject, reason })
  return report
}

/** A capture that says nothing for so long has ended, or stands still. */
const SILENT_AFTER_MS = 5 * MINUTE_MS

/** Whether the background capture is alive at all: what has ended cannot tell that it has. */
export async function watchHeartbeat({ recovery, alerts, clock, settings }: WatchParts): Promise<boolean> {
  const heartbeat = await recovery.findHeartbeat()
  if (heartbeat === undefined) return true
  const silentMs = clock.nowMs() - epochMsOf(heartbeat.at)
  const isSilent = silentMs > Math.max(SILENT_AFTER_MS, 3 * settings.snapshotIntervalSeconds * SECOND_MS)
  await alerts.settle('heartbeat', isSilent ? [silentAlert(heartbeat.at, silentMs)] : [])
  return !isSilent
}

function silentAlert(at: Instant, silentMs: number) {
  return {
    severity: 'critical',
    eventType: 'sidecar_stale',
    title: `The background capture has said nothing for ${Math.round(silentMs / MINUTE_MS)} minutes`,
    recommendedAction: 'See GET /metadata/health and the log; recovery points age until it runs again.',
    facts: { lastHeartbeatAt: at, silentSeconds: Math.round(silentMs / SECOND_MS) },
    dedupeKey: 'heartbeat',
  } as const
}

const DROPPED = 'dropped'

type TableParts = WatchParts & Pick<Parts, 'ledger'>

/** Look for tables that are gone; each is told once, over restarts too, and is over when a table of its name is back. */
export async function watchTables(parts: TableParts): Promise<TableLook> {
  const look = await parts.recovery.lookAtTables()
  for (const { from, to } of look.renamed) parts.log('info', 'table_renamed', { from: { ...from }, to: { ...to } })
  const isWatched = ({ table }: DroppedTable) => isAllowedTable(table.relation, parts.settings.snapshotTables)
  const watched = look.dropped.filter(isWatched)
  const { byGate, outside } = await sortDrops(parts, watched, look)
  for (const one of byGate) await parts.alerts.raise(approvedAlert(one))
  for (const _one of outside) parts.metrics.noteDroppedTable()
  const alerts = droppedAlerts({ ...look, dropped: outside }, parts.clock.nowMs())
  for (const alert of alerts) await tellDrop(parts, alert)
  await parts.recovery.settleTables(look)
  await endReturned(parts, look)
  return look
}

/** Where another table has the name there is nothing to wait for. */
async function tellDrop({ alerts }: Pick<Parts, 'alerts'>, alert: RecoveryAlert): Promise<void> {
  const lasts = alert.eventType === 'table_drop_detected' && typeof alert.facts['replacedByOid'] !== 'number'
  if (lasts) await alerts.begin(DROPPED, alert)
  else await alerts.raise(alert)
}

/** The table's name is a fact of its alert; one that is there again needs nobody any more. */
async function endReturned({ alerts }: Pick<Parts, 'alerts'>, { present }: TableLook): Promise<void> {
  const names = new Set(present.map(({ relation }) => `${relation.schema}.${relation.name}`))
  for (const { facts, dedupeKey } of await alerts.listStanding(DROPPED)) {
    const tables = Array.isArray(facts['tables']) ? facts['tables'] : [facts['table']]
    if (tables.every((table) => names.has(String(table)))) await alerts.end(DROPPED, dedupeKey)
  }
}

function approvedAlert({ table, point }: DroppedTable): RecoveryAlert {
  const name = `${table.relation.schema}.${table.relation.name}`
  return {
    severity: 'info',
    eventType: 'table_drop_approved',
    title: `The table ${name} was dropped through the gateway`,
    recommendedAction: `Nothing, if this was meant. Its last rows are in ${point?.snapshotId ?? 'no recovery point'}.`,
    facts: { table: name, oid: table.oid, snapshotId: point?.snapshotId ?? null },
    dedupeKey: `dropped-by-gate:${table.oid}`,
  }
}

/** Tell of each table whose newest point is too old once, and once more when it is fresh again. Returns how many there are. */
export async function watchStaleness(parts: TableParts & Pick<Parts, 'policy'>, look: TableLook): Promise<number> {
  const { snapshotTables } = parts.settings
  const staleAfterMs = parts.policy.active().policy.max_snapshot_age_seconds * SECOND_MS
  const tables = look.present.filter(({ relation }) => isAllowedTable(relation, snapshotTables))
  const stale = await parts.recovery.findStaleTables(tables, staleAfterMs)
  await parts.alerts.settle('stale', stale.map(staleAlert))
  return stale.length
}
