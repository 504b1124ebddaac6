/** Orders for captures: what a plan writes and a worker reads. */
import { z } from 'zod'
import type { SnapshotId } from '#lib/kernel/index.ts'
import { BackstopError, jsonDigest, MINUTE_MS } from '#lib/kernel/index.ts'
import type { CaptureOrder, CaptureReason, RoundPolicy } from './model.ts'
import type { TableState } from './plan.ts'

const KEY_DIGITS = 32

const orderSchema = z.object({
  relation: z.object({ schema: z.string().min(1), name: z.string().min(1) }),
  relationOid: z.number().int(),
  companions: z.array(z.object({ schema: z.string().min(1), name: z.string().min(1) })).optional(),
  origin: z.enum(['schedule', 'demand', 'final', 'manual']),
  because: z.enum(['no-point', 'changed', 'maybe-changed', 'new-table', 'damaged']),
  sizeBytes: z.number().nonnegative().optional(),
  minimumAgeMs: z.number().nonnegative(),
  dedupeKey: z.string().min(1).max(128),
})

/**
 * The order for a table; `basis` is the newest valid point that the plan saw.
 *
 * Invariants: two plans that see the same table and the same basis within one period give the same key; once a capture has
 *             changed the basis, or the period is over, the next need has another
 */
export function buildOrder(
  table: TableState,
  because: CaptureReason,
  basis: SnapshotId | undefined,
  policy: RoundPolicy,
  nowMs: number,
): CaptureOrder {
  const { relation, oid, sizeBytes } = table
  const period = Math.floor(nowMs / Math.max(policy.minimumAgeMs, MINUTE_MS))
  const need = [relation.schema, relation.name, oid, basis ?? null, because === 'damaged', period]
  return {
    relation,
    relationOid: oid,
    origin: 'schedule',
    because,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    minimumAgeMs: policy.minimumAgeMs,
    dedupeKey: `capture-${jsonDigest(need).slice(0, KEY_DIGITS)}`,
  }
}

/** Throws CAPTURE_ORDER_INVALID naming the field. */
export function decodeCaptureOrder(body: unknown): CaptureOrder {
  const read = orderSchema.safeParse(body)
  // Members that an order lacks are absent here too, never undefined.
  if (read.success) return read.data as CaptureOrder
  const field = read.error.issues[0]?.path.join('.') || 'the whole'
  throw new BackstopError('CAPTURE_ORDER_INVALID', `the order for a capture is malformed: ${field}`)
}
