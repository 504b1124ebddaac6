/** One record per order: who writes it first, worker or coordinator, has settled what becomes of the order. */
import { isBackstopError, SECOND_MS } from '#lib/kernel/index.ts'
import type { Clock, RecordKey, RecordStore } from '#lib/ports/index.ts'
import type { RangeResult, RangeWork } from './model.ts'
import { decodeResult } from './model.ts'

/** Longer than an order can lie in a queue and be delivered again. */
const KEPT_S = 2 * 86_400

export interface ResultPorts {
  readonly records: RecordStore
  readonly clock: Clock
}

export async function findResult({ records }: ResultPorts, work: RangeWork): Promise<RangeResult | undefined> {
  const record = await records.find(keyOf(work))
  return record === undefined ? undefined : decodeResult(record.body)
}

/**
 * Settle the order; the first word counts.
 *
 * Effects: a record, created only where none is
 * Returns: what the order is settled as: the given result, or the one that was there before
 */
export async function settleOrder(ports: ResultPorts, work: RangeWork, result: RangeResult): Promise<RangeResult> {
  const expiresAtS = Math.floor(ports.clock.nowMs() / SECOND_MS) + KEPT_S
  const record = { key: keyOf(work), body: JSON.parse(JSON.stringify(result)), expiresAtS }
  try {
    await ports.records.write({ kind: 'create', record })
    return result
  } catch (error) {
    if (!isBackstopError(error, 'RECORD_EXISTS')) throw error
    return (await findResult(ports, work)) ?? result
  }
}

function keyOf({ order, orderId }: RangeWork): RecordKey {
  return { partition: `recovery-ranges/${order.snapshotId}`, sort: orderId }
}
