/** Runs approved statements that may outlive a request, and ends them in order before the function's own time is over. */
import type { ExecutionSettings } from '#lib/gate/index.ts'
import { MINUTE_MS, SECOND_MS } from '#lib/kernel/index.ts'
import { decodeTicketKey, type Foundation, type ProductSettings, runTicket } from '#lib/product/index.ts'
import { type DoorPorts, openDoor, type WorkParts } from '../../shared/index.ts'
import { type Cancellable, cancellable } from './cancellable.ts'

/** A function runs for 15 minutes; the last seconds are for the outcome. */
const LONGEST_MS = 14 * MINUTE_MS
const STOP_BEFORE_END_MS = 20 * SECOND_MS
/** One cancel may arrive between two statements and be lost. */
const CANCEL_EVERY_MS = 500

function longRunning(settings: ProductSettings): ProductSettings {
  return { ...settings, statementTimeoutMs: LONGEST_MS, captureTimeoutMs: LONGEST_MS }
}

/** Do `work`; from the deadline on, end whatever the databases still do for it. */
async function untilDeadline<T>(
  databases: readonly Cancellable[],
  deadlineMs: number,
  work: () => Promise<T>,
): Promise<T> {
  let repeated: NodeJS.Timeout | undefined
  const cancel = () => {
    for (const one of databases) void one.cancelAll()
  }
  const timer = setTimeout(
    () => {
      cancel()
      repeated = setInterval(cancel, CANCEL_EVERY_MS)
    },
    Math.max(0, deadlineMs),
  )
  try {
    return await work()
  } finally {
    clearTimeout(timer)
    clearInterval(repeated)
  }
}

/** Throws CONFIG_INVALID, DATABASE_UNREACHABLE. */
export async function runParts(foundation: Foundation, ports: DoorPorts): Promise<WorkParts> {
  const { records, clock } = foundation
  const opened: Cancellable[] = []
  const { gate } = await openDoor(
    foundation,
    {
      ...ports,
      async openGateDatabases(execution: ExecutionSettings) {
        const { reads, writes } = await ports.openGateDatabases(execution)
        const pair = { reads: cancellable(reads), writes: cancellable(writes) }
        opened.push(pair.reads, pair.writes)
        return { reads: pair.reads.database, writes: pair.writes.database }
      },
    },
    { settings: longRunning(foundation.settings), runsApproved: 'here' },
  )
  return {
    async handle({ body, correlationId }, remainingMs) {
      await ports.policy.refresh()
      const key = decodeTicketKey(body)
      const run = () => runTicket({ gate, records, clock }, key, correlationId)
      const report = await untilDeadline(opened, remainingMs() - STOP_BEFORE_END_MS, run)
      return { ...report, approvalId: key.approvalId }
    },
    settle: () => gate.settled(),
  }
}
