/** Orders of captures as work: which queue they go to, and in what form. */
import type { JsonObject } from '#lib/kernel/index.ts'
import type { WorkQueue } from '#lib/ports/index.ts'
import type { CaptureOrder } from '#lib/recovery/index.ts'

/** The kind of work that carries a capture order to whoever takes it. */
export const CAPTURE_WORK = 'capture'
/** Of a table that takes longer than a worker of the other kind may run. */
export const LARGE_CAPTURE_WORK = 'large-capture'

/** Tables above `largeBytes` are work of their own kind. */
export async function sendOrder(
  queue: Pick<WorkQueue, 'send'>,
  order: CaptureOrder,
  largeBytes = Number.POSITIVE_INFINITY,
): Promise<void> {
  const { dedupeKey, relation } = order
  const { kind, body } = workOf(order, largeBytes)
  // Captures of one table follow each other; the key makes orders for one need one.
  const groupKey = JSON.stringify([relation.schema, relation.name])
  await queue.send(kind, body, { dedupeKey, groupKey })
}

/** An order for a large table is text: whoever starts its worker hands on texts alone. */
function workOf(order: CaptureOrder, largeBytes: number): { readonly kind: string; readonly body: JsonObject } {
  const body = { ...order, relation: { ...order.relation } }
  const isLarge = (order.sizeBytes ?? 0) > largeBytes
  return isLarge ? { kind: LARGE_CAPTURE_WORK, body: { order: JSON.stringify(body) } } : { kind: CAPTURE_WORK, body }
}
