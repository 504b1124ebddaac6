/** Recovery points on demand within a request's time; what takes longer is ordered from the capture queue. */
import { BackstopError, displayRelation, instantFrom, isBackstopError, jsonDigest } from '#lib/kernel/index.ts'
import type { Clock, RecoveryPointOrigin, RecoveryPoints, WorkQueue } from '#lib/ports/index.ts'
import { CAPTURE_WORK } from '#lib/product/index.ts'
import type { CaptureOrder, Recovery } from '#lib/recovery/index.ts'

export interface DemandPorts {
  readonly recovery: Recovery
  readonly queue: WorkQueue
  readonly clock: Clock
  readonly withinMs: number
}

type Relation = CaptureOrder['relation']
type Relations = readonly [Relation, ...Relation[]]

/** Several requests for one table within these minutes are one order. */
const PERIOD_MINUTES_CHARACTERS = 15

/** What the queue's worker decodes; an oid of 0 is never that of the newest point, so that it takes a new one. */
function orderOf([relation, ...others]: Relations, origin: RecoveryPointOrigin, nowMs: number): CaptureOrder {
  const period = instantFrom(nowMs).slice(0, PERIOD_MINUTES_CHARACTERS)
  const companions = others.map(({ schema, name }) => ({ schema, name }))
  const names = [relation, ...companions].flatMap(({ schema, name }) => [schema, name])
  const dedupeKey = jsonDigest(['demand', ...names, period])
  const order = { relation, relationOid: 0, origin, because: 'no-point', minimumAgeMs: 0, dedupeKey } as const
  return companions.length === 0 ? order : { ...order, companions }
}

async function orderCapture(ports: DemandPorts, relations: Relations, origin: RecoveryPointOrigin): Promise<never> {
  const order = orderOf(relations, origin, ports.clock.nowMs())
  await ports.queue.send(CAPTURE_WORK, { ...order, relation: { ...order.relation } }, { dedupeKey: order.dedupeKey })
  const subject = relations.map(displayRelation).join(', ')
  throw new BackstopError(
    'CAPTURE_QUEUED',
    `Taking a recovery point of ${subject} takes longer than a request may; it is being taken now.`,
  )
}

/** What the gate needs of recovery, bounded. Throws CAPTURE_QUEUED for a table that is too large for a request. */
export function captureWithinRequest(ports: DemandPorts): RecoveryPoints {
  const { recovery, withinMs } = ports
  return {
    ...recovery,
    async capture(relation, origin) {
      try {
        return await recovery.capture(relation, origin, { signal: AbortSignal.timeout(withinMs), graceMs: 2_000 })
      } catch (error) {
        if (isBackstopError(error, 'TABLE_TOO_LARGE_FOR_RUN')) return orderCapture(ports, [relation], origin)
        throw error
      }
    },
    async captureSet(relations, origin) {
      const [first, ...others] = relations
      try {
        return await recovery.captureSet(relations, origin, { signal: AbortSignal.timeout(withinMs), graceMs: 2_000 })
      } catch (error) {
        const isTooLarge = isBackstopError(error, 'TABLE_TOO_LARGE_FOR_RUN')
        if (isTooLarge && first !== undefined) return orderCapture(ports, [first, ...others], origin)
        throw error
      }
    },
  }
}
