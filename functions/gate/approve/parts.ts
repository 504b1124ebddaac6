/** The approval routes: records and the ledger, and no database. */
import type { Foundation } from '#lib/product/index.ts'
import { apiSettings, openAlerts, openApprovals, openLedger } from '#lib/product/index.ts'
import { type HttpParts, NO_BUCKET, servicesWith, VERSION } from '../../shared/index.ts'

export function approveParts(foundation: Foundation): HttpParts {
  const approvals = openApprovals(foundation)
  const ledger = openLedger(foundation, NO_BUCKET)
  return {
    services: servicesWith(foundation, { approvals, ledger, alerts: openAlerts(foundation) }),
    settings: apiSettings(foundation.settings, VERSION),
  }
}
