/** What travels when other processes capture ranges of a table: the order out, and what came of it back. */
import { z } from 'zod'
import type { JsonObject } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import { manifestSchema } from '../manifest/index.ts'
import type { RangeOrder, RangeOutcome } from '../snapshot/index.ts'

const { relation, snapshotId, content, parts } = manifestSchema.shape
const page = z.int().nonnegative()

const workSchema = z.object({
  orderId: z.string().regex(/^[0-9a-f]{32}$/),
  /** By which the coordinator's snapshot is imported; gone when its transaction has ended. */
  snapshotName: z.string().min(1).max(64),
  order: z.object({
    relation,
    snapshotId,
    columns: content.shape.columns,
    isPartitioned: z.boolean(),
    maxRowBytes: z.int().positive().optional(),
    range: z.object({ index: page, fromPage: page, toPage: page.nullable() }),
  }),
})

const resultSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('captured'), rowCount: page, digest: z.string().regex(/^-?\d+$/), parts }),
  z.object({ status: z.literal('misfit'), columnIndex: page }),
  /** The coordinator captures the range itself. */
  z.object({ status: z.literal('failed'), code: z.string(), reason: z.string() }),
  /** Nobody waits for it any more. */
  z.object({ status: z.literal('withdrawn') }),
])

/** The body of a work item: one range in somebody's snapshot. */
export interface RangeWork {
  readonly orderId: string
  readonly snapshotName: string
  readonly order: RangeOrder
}

export type RangeResult = z.infer<typeof resultSchema>

export function encodeRangeWork(work: RangeWork): JsonObject {
  return JSON.parse(JSON.stringify(work)) as JsonObject
}

/** Throws CAPTURE_ORDER_INVALID naming the field. */
export function decodeRangeWork(body: unknown): RangeWork {
  const read = workSchema.safeParse(body)
  if (read.success) return read.data
  const field = read.error.issues[0]?.path.join('.') || 'the whole'
  throw new BackstopError('CAPTURE_ORDER_INVALID', `the order for a range of a table is malformed: ${field}`)
}

export function resultOf(outcome: RangeOutcome): RangeResult {
  if (!outcome.ok) return { status: 'misfit', columnIndex: outcome.columnIndex }
  return { status: 'captured', rowCount: outcome.rowCount, digest: outcome.digest, parts: [...outcome.parts] }
}

/** Undefined where the range was not captured. */
export function outcomeOf(result: RangeResult): RangeOutcome | undefined {
  if (result.status === 'misfit') return { ok: false, columnIndex: result.columnIndex }
  if (result.status !== 'captured') return undefined
  return { ok: true, rowCount: result.rowCount, digest: result.digest, parts: result.parts }
}

/** Throws CAPTURE_ORDER_INVALID. */
export function decodeResult(body: unknown): RangeResult {
  const read = resultSchema.safeParse(body)
  if (read.success) return read.data
  throw new BackstopError('CAPTURE_ORDER_INVALID', 'the result of a range of a table is malformed')
}
