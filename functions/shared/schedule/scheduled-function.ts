/** A function that the clock starts: alone, however often and how late its events come. */
import type { Context } from 'aws-lambda'
import { z } from 'zod'
import { runScheduled } from '#lib/adapters/aws/index.ts'
import type { JsonObject } from '#lib/kernel/index.ts'
import type { Clock, RecordStore } from '#lib/ports/index.ts'
import { functionChain } from '../chain/function-chain.ts'
import { noteFacts } from '../chain/log-invocation.ts'
import { once } from '../once.ts'

export interface ScheduledParts {
  readonly records: RecordStore
  readonly clock: Clock
  /** What it did, for the log. `signal` fires while there is still time to end in order. */
  run(signal: AbortSignal): Promise<JsonObject>
}

/** The platform's own id of the event: the same when it is delivered again. */
const eventSchema = z.object({ id: z.string().min(1).max(256) })

const LEASE_RESERVE_MS = 5_000
const STOP_RESERVE_MS = 5_000

export function scheduledFunction(name: string, open: () => Promise<ScheduledParts>) {
  const parts = once(open)
  return functionChain(name).handler(async (event: unknown, context: Context) => {
    const { records, clock, run } = await parts()
    const remainingMs = Math.floor(context.getRemainingTimeInMillis())
    const parsed = eventSchema.safeParse(event)
    const occurrence = parsed.success ? { occurrence: parsed.data.id } : {}
    const scheduled = { name, leaseMs: remainingMs + LEASE_RESERVE_MS, ...occurrence }
    const signal = AbortSignal.timeout(Math.max(0, remainingMs - STOP_RESERVE_MS))
    const outcome = await runScheduled(records, clock, scheduled, () => run(signal))
    noteFacts(context, outcome.status === 'ran' ? outcome.value : { skipped: outcome.reason })
  })
}
