/** Drills by the clock: each kind when its time has come, with an alert for what failed or proved nothing. */
import { epochMsOf, MINUTE_MS } from '#lib/kernel/index.ts'
import type { LocalFiles, NativeTools, PreparedServers } from '#lib/ports/index.ts'
import {
  type DrillKind,
  drillAlerts,
  type LogicalDrillPorts,
  noteUnrunnable,
  runLogicalDrill,
  runPrepareDrill,
  runRestoreDrill,
  runWalDrill,
  type StoredDrill,
} from '#lib/recovery/index.ts'
import type { Parts } from './model.ts'

const MEGABYTE = 1_048_576
const HOUR_MS = 60 * MINUTE_MS
const PAGE = 100

type DrillParts = Pick<Parts, 'recovery' | 'settings' | 'clock' | 'log' | 'alerts' | 'metrics'>
type ScratchParts = DrillParts &
  Pick<Parts, 'objects' | 'records' | 'random'> & {
    /** Nobody here may delete from the storage: a rule of the bucket clears what drills leave. */
    readonly isScratchExpiring?: boolean
  }

/** What drills find on the machine that they run on. */
export interface DrillGround {
  readonly files: LocalFiles
  /** The line of restore_command for this storage. */
  readonly restoreCommand: (clusterId: string) => string
  /** Absent: there is no such machine, and the reason. */
  readonly native: NativeGround | { readonly reason: string }
}

export interface NativeGround {
  readonly tools: NativeTools
  readonly servers: PreparedServers
  readonly openDatabase: LogicalDrillPorts['openDatabase']
  /** Holds a password: never shown. */
  readonly databaseUrl: string
}

const SCRATCH_KINDS = ['table-restore', 'wal-archive-fetch', 'pitr-prepare'] as const
const NATIVE_KINDS = ['pitr-restore', 'logical-backup-restore'] as const

/** Restore one table into scratch and compare it. */
export async function drillTable(parts: DrillParts, signal?: AbortSignal): Promise<StoredDrill> {
  const drill = await parts.recovery.runTableDrill({
    maxBytes: parts.settings.drillMaxMegabytes * MEGABYTE,
    ...(signal === undefined ? {} : { signal }),
  })
  return await tell(parts, drill)
}

/** One drill of a kind, told and logged. */
export async function drillOnce(
  parts: ScratchParts,
  ground: DrillGround,
  kind: DrillKind,
  signal?: AbortSignal,
): Promise<StoredDrill> {
  const { clusterId } = parts.settings
  const stop = signal === undefined ? {} : { signal }
  const ports = { ...parts, files: ground.files }
  const prepare = { clusterId, restoreCommand: ground.restoreCommand(clusterId), ...stop }
  if (kind === 'table-restore') return await drillTable(parts, signal)
  if (kind === 'wal-archive-fetch') return await tell(parts, await runWalDrill(ports, { clusterId, ...stop }))
  if (kind === 'pitr-prepare') return await tell(parts, await runPrepareDrill(ports, { ...prepare, isSimulated: true }))
  const { native } = ground
  // Told in the evidence alone: it is so on every day, and nobody can mend it.
  if ('reason' in native) return await noteUnrunnable(ports, { kind, clusterId }, native.reason)
  const { databaseUrl } = native
  const maxBytes = parts.settings.drillMaxMegabytes * MEGABYTE
  if (kind === 'logical-backup-restore') {
    const request = { sourceUrl: databaseUrl, targetUrl: databaseUrl, isRightOptional: true, maxBytes, ...stop }
    return await tell(parts, await runLogicalDrill({ ...ports, ...native }, request))
  }
  const user = decodeURIComponent(new URL(databaseUrl).username) || 'postgres'
  return await tell(parts, await runRestoreDrill({ ...ports, ...native }, { ...prepare, user, maxBytes }))
}

/** Each kind whose last drill is longer ago than its interval, whenever the process was started. */
export async function drillWhenDue(parts: ScratchParts, ground: DrillGround): Promise<readonly StoredDrill[]> {
  const { drillIntervalHours, drillNativeIntervalHours } = parts.settings
  const intervals = new Map<DrillKind, number>([
    ...SCRATCH_KINDS.map((kind) => [kind, drillIntervalHours] as const),
    ...NATIVE_KINDS.map((kind) => [kind, drillNativeIntervalHours] as const),
  ])
  const lastAt = await findLast(parts, Math.max(...intervals.values()))
  const drills: StoredDrill[] = []
  for (const [kind, hours] of intervals) {
    if (hours === 0 || isRecent(parts.clock.nowMs(), lastAt.get(kind), hours)) continue
    drills.push(await drillOnce(parts, ground, kind))
  }
  return drills
}

/** A little early is better than an hour late; a drill from the future says nothing. */
function isRecent(nowMs: number, lastMs: number | undefined, hours: number): boolean {
  const agoMs = lastMs === undefined ? Number.POSITIVE_INFINITY : nowMs - lastMs
  return agoMs >= 0 && agoMs < hours * HOUR_MS - MINUTE_MS
}

/** When each kind was drilled last, as far back as an interval reaches. */
async function findLast({ recovery, clock }: DrillParts, hours: number): Promise<ReadonlyMap<DrillKind, number>> {
  const sinceMs = clock.nowMs() - hours * HOUR_MS
  const lastAt = new Map<DrillKind, number>()
  let cursor: string | undefined
  do {
    const page = await recovery.listDrills({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) })
    for (const { evidence } of page.drills) {
      if (!lastAt.has(evidence.kind)) lastAt.set(evidence.kind, epochMsOf(evidence.startedAt))
    }
    const oldest = page.drills.at(-1)?.evidence.startedAt
    cursor = oldest !== undefined && epochMsOf(oldest) >= sinceMs ? page.cursor : undefined
  } while (cursor !== undefined)
  return lastAt
}

async function tell({ alerts, log, metrics }: DrillParts, drill: StoredDrill): Promise<StoredDrill> {
  for (const alert of drillAlerts(drill)) await alerts.raise(alert)
  const { kind, result, rtoSeconds, rpoSeconds } = drill.evidence
  metrics.noteDrill(kind, result)
  log('info', 'drill', { kind, result, rtoSeconds, rpoSeconds, evidence: drill.key })
  return drill
}
