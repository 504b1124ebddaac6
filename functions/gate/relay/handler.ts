/** gate.relay: alerts to the topic and to webhooks. */
import { createAlertHandler } from '#lib/adapters/aws/index.ts'
import { openAlertTargets, openTable, queueFunction, SYSTEM } from '../../shared/index.ts'

const open = async () => {
  const deliver = createAlertHandler(await openAlertTargets(), { records: openTable(), clock: SYSTEM.clock })
  return {
    async handle(item: Parameters<typeof deliver>[0]) {
      await deliver(item)
      return { delivered: true }
    },
  }
}

export const handler = queueFunction('gate.relay', 'alert', open, { leaseS: 30 })
