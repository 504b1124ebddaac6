/** Do an operator's act between an audit intent and its outcome. */
import type { AuditIntent, AuditResult } from '#lib/gate/index.ts'
import type { AuditId } from '#lib/kernel/index.ts'
import { asBackstopError } from '../answer/index.ts'
import type { CallContext } from '../context.ts'

type Act = Omit<AuditIntent, 'principal'>

/** The effect stands whether or not its outcome could be written; an intent without outcome is reconciled later. */
async function finish(context: CallContext, id: AuditId, result: AuditResult): Promise<void> {
  try {
    await context.services.ledger.finish(id, result)
  } catch (error) {
    context.services.reportDefect(error, context.correlationId)
  }
}

/** Nothing is done unless the intent is durable. Throws `AUDIT_UNAVAILABLE` and whatever `act` throws. */
export async function audited<T>(context: CallContext, intent: Act, act: () => Promise<T>): Promise<T> {
  const facts = { ...intent.facts, correlationId: context.correlationId }
  const id = await context.services.ledger.begin({ ...intent, principal: context.principal.name, facts })
  try {
    const result = await act()
    await finish(context, id, { outcome: 'recorded' })
    return result
  } catch (thrown) {
    await finish(context, id, { outcome: 'failed', errorCode: asBackstopError(thrown).code })
    throw thrown
  }
}
