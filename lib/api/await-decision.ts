/** Wait for the decision on an approval, without a running slot. */
import type { Approval } from '#lib/gate/index.ts'
import { BackstopError, SECOND_MS } from '#lib/kernel/index.ts'
import type { CallContext } from './context.ts'

/**
 * The approval as it is when it was decided, when the time is over, or when the API shuts down, whichever is first.
 *
 * Invariants: undefined when too many calls wait already
 * Throws:     `APPROVAL_MISSING`
 */
export async function awaitDecision(
  context: CallContext,
  id: string,
  waitSeconds: number,
): Promise<Approval | undefined> {
  const { approvals } = context.services
  const signal = AbortSignal.any([context.request.signal, context.drainSignal])
  return context.permit.whileWaiting(async () => {
    try {
      return await approvals.wait(id, waitSeconds * SECOND_MS, signal)
    } catch (error) {
      if (!signal.aborted) throw error
      const approval = await approvals.find(id)
      if (approval === undefined) throw new BackstopError('APPROVAL_MISSING', 'no approval has this id')
      return approval
    }
  })
}
