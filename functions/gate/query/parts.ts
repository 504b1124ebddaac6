/** The agents' door: statements are judged and run within a request; approved ones are run by gate.run. */
import { loadClassifier, openQueryGate } from '#lib/gate/index.ts'
import { SECOND_MS } from '#lib/kernel/index.ts'
import type { Columnar, Database, ObjectStore, WorkQueue } from '#lib/ports/index.ts'
import {
  apiSettings,
  executionSettings,
  type Foundation,
  type GateDatabases,
  openAlerts,
  openApprovals,
  openCollectingGate,
  openConduct,
  openLedger,
  openPause,
  type ProductSettings,
} from '#lib/product/index.ts'
import { openRecovery } from '#lib/recovery/index.ts'
import { type BucketPolicy, type HttpParts, NO_BUCKET, servicesWith, VERSION } from '../../shared/index.ts'
import { captureWithinRequest } from './demand-capture.ts'

export interface QueryPorts {
  readonly database: Database
  readonly snapshots: ObjectStore
  readonly columnar: Columnar
  /** For the kinds `run` and `capture`. */
  readonly queue: WorkQueue
  readonly policy: BucketPolicy
  openGateDatabases(execution: Awaited<ReturnType<typeof executionSettings>>): Promise<GateDatabases>
}

/** API Gateway waits 29 seconds for all of it: look-ups, statement, ledger. */
const LONGEST_STATEMENT_MS = 18 * SECOND_MS
const LONGEST_CAPTURE_MS = 12 * SECOND_MS
const LONGEST_COLLECT_MS = 22 * SECOND_MS

function withinRequest(settings: ProductSettings): ProductSettings {
  const statementTimeoutMs = Math.min(settings.statementTimeoutMs, LONGEST_STATEMENT_MS)
  return { ...settings, statementTimeoutMs, captureTimeoutMs: LONGEST_CAPTURE_MS }
}

/** Throws CONFIG_INVALID, DATABASE_UNREACHABLE. */
export async function queryParts(foundation: Foundation, ports: QueryPorts): Promise<HttpParts> {
  await loadClassifier()
  const { settings, metrics, clock, records } = foundation
  const { environment, clusterId } = settings
  const { policy, queue } = ports
  const execution = await executionSettings(withinRequest(settings), ports.database)
  const approvals = openApprovals(foundation)
  const pause = openPause(foundation)
  const recovery = openRecovery({ ...foundation, ...ports, objects: ports.snapshots })
  const gate = openQueryGate({
    ...(await ports.openGateDatabases(execution)),
    ledger: openLedger(foundation, NO_BUCKET),
    approvals,
    pause,
    conduct: openConduct(foundation, policy.keeper),
    alerts: openAlerts(foundation),
    recovery: captureWithinRequest({ recovery, queue, clock, withinMs: LONGEST_CAPTURE_MS }),
    clock,
    observer: metrics,
    execution,
    environment,
    clusterId,
    policy: () => policy.keeper.active(),
    runsApproved: 'elsewhere',
  })
  const waitMs = LONGEST_COLLECT_MS
  const door = openCollectingGate({ gate, approvals, records, queue, clock, environment, clusterId, waitMs })
  return {
    services: servicesWith(foundation, { gate: door, approvals }),
    settings: apiSettings(settings, VERSION),
    prepare: () => policy.refresh(),
    settle: () => door.settled(),
  }
}
