/** Everything that has to be right before agents come, looked at in one go. */
import type { ActivePolicy } from '#lib/gate/index.ts'
import { defaultPolicy } from '#lib/gate/index.ts'
import { BackstopError, isBackstopError, type RelationName } from '#lib/kernel/index.ts'
import type { Clock, Columnar, Database, LocalFiles, NativeTools, ObjectStore, Random } from '#lib/ports/index.ts'
import type { Recovery, StorageFacts } from '#lib/recovery/index.ts'
import { checkAlerts, checkPolicy, checkTokens, type TokenLook } from './check-access.ts'
import { checkDatabase } from './check-database.ts'
import { checkDrills } from './check-drills.ts'
import { checkClock, checkDisk, checkNativeTools } from './check-machine.ts'
import { checkMetadata } from './check-metadata.ts'
import { checkSnapshots } from './check-snapshots.ts'
import { checkStorage, checkWal } from './check-storage.ts'
import { type CheckReport, Notebook, type Verdict } from './model.ts'
import { judgeLaunch } from './verdict.ts'

export interface LaunchPorts {
  readonly objects: ObjectStore
  readonly facts: StorageFacts
  /** Over the metadata that was given, else over what a scan of the storage found. */
  readonly recovery: Pick<Recovery, 'findNewestValid' | 'findHeartbeat'>
  readonly columnar: Columnar
  readonly tools: NativeTools
  readonly files: Pick<LocalFiles, 'freeBytes'>
  readonly clock: Clock
  readonly random: Random
  /** An error: it was named and cannot be reached. */
  readonly database: Database | BackstopError | undefined
}

export interface LaunchOrder {
  readonly tables: readonly RelationName[]
  readonly hasMetadata: boolean
  readonly clusterId: string | undefined
  readonly agentRole: string | undefined
  readonly tokens: TokenLook
  readonly policy: ActivePolicy | BackstopError
  /** Where the policy is from, in words. */
  readonly policySource: string
  readonly alertTargetCount: number
  /** By what they are for. */
  readonly folders: Readonly<Record<string, string | undefined>>
  readonly maxDrillAgeDays: number
  readonly isStrict: boolean
}

export interface LaunchReport {
  readonly verdict: Verdict
  readonly checks: readonly CheckReport[]
}

/** A check that cannot be made for want of the storage or the database is a failed one. */
export async function examineLaunch(ports: LaunchPorts, order: LaunchOrder): Promise<LaunchReport> {
  const { objects, clock } = ports
  const database = ports.database instanceof BackstopError ? undefined : ports.database
  const { policy } = order.policy instanceof BackstopError ? { policy: defaultPolicy() } : order.policy
  const roles = await guarded('database_roles', () => checkRoles(ports.database, order.agentRole))
  const heartbeatAge = policy.max_sidecar_heartbeat_seconds
  const look = { tables: order.tables, maxAgeSeconds: policy.max_snapshot_age_seconds }
  const checks: readonly (readonly [string, () => Promise<CheckReport> | CheckReport])[] = [
    ['native_tools', () => checkNativeTools(ports.tools, roles.major)],
    ['storage_permissions', () => checkStorage(ports, order.isStrict)],
    ['snapshot_readiness', () => checkSnapshots(ports, look)],
    ['metadata_health', () => checkMetadata(order.hasMetadata ? ports.recovery : undefined, clock, heartbeatAge)],
    ['drills', () => checkDrills(objects, clock, { clusterId: order.clusterId, maxAgeDays: order.maxDrillAgeDays })],
    ['tokens', () => checkTokens(order.tokens, clock)],
    ['policy', () => checkPolicy(order.policy, order.policySource, database)],
    ['alert_routing', () => checkAlerts(order.alertTargetCount)],
    ['wal_archive', () => checkWal(objects, order.clusterId)],
    ['clock', () => checkClock(clock, database)],
    ['disk', () => checkDisk(ports.files, order.folders)],
  ]
  const reports: CheckReport[] = [roles.report]
  for (const [name, check] of checks) {
    reports.push((await guarded(name, async () => ({ report: await check(), major: undefined }))).report)
  }
  return { verdict: judgeLaunch(reports), checks: reports }
}

type Checked = Awaited<ReturnType<typeof checkDatabase>>

async function checkRoles(database: LaunchPorts['database'], agentRole: string | undefined): Promise<Checked> {
  if (database instanceof BackstopError) throw database
  return await checkDatabase(database, agentRole)
}

async function guarded(name: string, check: () => Promise<Checked>): Promise<Checked> {
  try {
    return await check()
  } catch (error) {
    if (!isBackstopError(error)) throw error
    const notebook = new Notebook(name)
    notebook.fail(`it could not be looked at: ${error.message}`, error.hint)
    return { report: notebook.report(), major: undefined }
  }
}
