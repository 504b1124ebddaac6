/** One alert to every target, each of them once, however often the relay has to begin again. */
import { BackstopError, instantFrom, isBackstopError, sha256Hex } from '#lib/kernel/index.ts'
import {
  type Alert,
  type AlertDelivery,
  type AlertTarget,
  type Clock,
  deliveryStatusOf,
  type RecordKey,
  type RecordStore,
  type WorkHandler,
} from '#lib/ports/index.ts'
import { decodeAlertWork } from './alert-work.ts'

export interface RelayPorts {
  /** Keeps who has had which alert. */
  readonly records: RecordStore
  readonly clock: Clock
  /** Told of every attempt. What it throws changes nothing. */
  readonly onDelivery?: (delivery: AlertDelivery) => Promise<void>
}

export interface RelayReport {
  /** Names of targets: those that got it now, and those that had got it before. */
  readonly delivered: readonly string[]
  readonly repeated: readonly string[]
}

type Delivery = 'delivered' | 'repeated'

/** Longer than SQS keeps a message, in the dead-letter queue too. */
const KEPT_S = 30 * 86_400

/**
 * Deliver to all targets at once; one that fails holds no other up.
 *
 * Invariants: a target that has had the alert is left alone when the alert comes again for another's sake, also after it was
 *             taken out of the dead-letter queue. At least once: between a delivery and its record the process may end
 * Throws:     NOTIFICATION_FAILED, naming the targets that are still to have it; CONFIG_INVALID when there is no target at all
 */
export async function relayAlert(alert: Alert, all: readonly AlertTarget[], ports: RelayPorts): Promise<RelayReport> {
  if (all.length === 0) throw new BackstopError('CONFIG_INVALID', 'the relay has no target: set a topic or a webhook')
  const targets = all.filter((target) => target.takes?.(alert) ?? true)
  const results = await Promise.allSettled(targets.map((target) => deliverOnce(alert, target, targets.length, ports)))
  const failures = results.flatMap((result, index) =>
    result.status === 'rejected' ? [`${targets[index]?.name}: ${reasonOf(result.reason)}`] : [],
  )
  if (failures.length > 0) {
    throw new BackstopError('NOTIFICATION_FAILED', `the alert ${alert.id} is still to reach ${failures.join('; ')}`, {
      details: { alertId: alert.id, failures, ...longestWait(results) },
    })
  }
  const namesOf = (delivery: Delivery) =>
    targets.flatMap(({ name }, index) => {
      const result = results[index]
      return result?.status === 'fulfilled' && result.value === delivery ? [name] : []
    })
  return { delivered: namesOf('delivered'), repeated: namesOf('repeated') }
}

/** The handler of the relay's queue. */
export function createAlertHandler(targets: readonly AlertTarget[], ports: RelayPorts): WorkHandler {
  return async ({ body }) => {
    await relayAlert(decodeAlertWork(body), targets, ports)
  }
}

async function deliverOnce(
  alert: Alert,
  target: AlertTarget,
  targetCount: number,
  ports: RelayPorts,
): Promise<Delivery> {
  const { records, clock } = ports
  const key: RecordKey = { partition: `alert-delivery#${alert.id}`, sort: target.name }
  if ((await records.find(key)) !== undefined) return 'repeated'
  const tell = async (status: AlertDelivery['status']) =>
    await ports.onDelivery?.({ alert, target: target.name, targetCount, status }).catch(() => undefined)
  const deliveryId = `dlv_${sha256Hex(JSON.stringify([alert.id, target.name])).slice(0, 32)}`
  try {
    await target.deliver(alert, deliveryId)
  } catch (error) {
    await tell(deliveryStatusOf(error))
    throw error
  }
  const nowMs = clock.nowMs()
  const record = {
    key,
    body: { deliveredAt: instantFrom(nowMs) },
    expiresAtS: Math.floor(nowMs / 1_000) + KEPT_S,
  }
  // What was delivered stays delivered, whether or not that could be kept: at worst the target gets it twice.
  await records.write({ kind: 'create', record }).catch(() => undefined)
  await tell('sent')
  return 'delivered'
}

/** All targets are tried again at once: not before the one that asked for most time. */
function longestWait(results: readonly PromiseSettledResult<Delivery>[]): { readonly retryAfterSeconds?: number } {
  const waits = results.flatMap((result) => {
    const asked = result.status === 'rejected' && isBackstopError(result.reason) ? result.reason.details : {}
    return typeof asked['retryAfterSeconds'] === 'number' ? [asked['retryAfterSeconds']] : []
  })
  return waits.length === 0 ? {} : { retryAfterSeconds: Math.max(...waits) }
}

function reasonOf(error: unknown): string {
  return isBackstopError(error) ? error.message : 'it failed unexpectedly'
}
