/** gate.relay: alerts to the topic and to webhooks. */
import { createAlertHandler } from '#lib/adapters/aws/index.ts'
import type { AlertDelivery } from '#lib/ports/index.ts'
import { openAlerts } from '#lib/product/index.ts'
import { absent, openAlertTargets, openFoundation, openTable, queueFunction, SYSTEM } from '../../shared/index.ts'

const open = async () => {
  const records = openTable()
  const alerts = openAlerts(openFoundation({ records, notifier: absent('notifier') }))
  const onDelivery = (delivery: AlertDelivery) => alerts.noteDelivery(delivery)
  const deliver = createAlertHandler(await openAlertTargets(), { records, clock: SYSTEM.clock, onDelivery })
  return {
    async handle(item: Parameters<typeof deliver>[0]) {
      await deliver(item)
      return { delivered: true }
    },
  }
}

export const handler = queueFunction('gate.relay', 'alert', open, { leaseS: 30 })
