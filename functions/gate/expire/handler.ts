/** gate.expire: approvals whose time is over, and statements that lost their process. */
import { expire, openAlerts, openApprovals, openLedger, reconcile } from '#lib/product/index.ts'
import { NO_BUCKET, openAlertNotifier, openFoundation, openTable, scheduledFunction } from '../../shared/index.ts'

export const handler = scheduledFunction('gate.expire', async () => {
  const foundation = openFoundation({ records: openTable(), notifier: openAlertNotifier() })
  const parts = {
    ...foundation,
    approvals: openApprovals(foundation),
    ledger: openLedger(foundation, NO_BUCKET),
    alerts: openAlerts(foundation),
  }
  return { ...foundation, run: async () => ({ expired: await expire(parts), reconciled: await reconcile(parts) }) }
})
