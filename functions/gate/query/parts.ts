/** The agents' door: statements are judged and run within a request; approved ones are run by gate.run. */
import { SECOND_MS } from '#lib/kernel/index.ts'
import type { WorkQueue } from '#lib/ports/index.ts'
import { apiSettings, type Foundation, openCollectingGate, type ProductSettings } from '#lib/product/index.ts'
import { type DoorPorts, type HttpParts, openDoor, servicesWith, VERSION } from '../../shared/index.ts'
import { captureWithinRequest } from './demand-capture.ts'

export interface QueryPorts extends DoorPorts {
  /** For the kinds `run` and `capture`. */
  readonly queue: WorkQueue
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
  const { settings, clock, records } = foundation
  const { environment, clusterId } = settings
  const { policy, queue } = ports
  const { gate, approvals } = await openDoor(foundation, ports, {
    settings: withinRequest(settings),
    runsApproved: 'elsewhere',
    boundRecovery: (recovery) => captureWithinRequest({ recovery, queue, clock, withinMs: LONGEST_CAPTURE_MS }),
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
