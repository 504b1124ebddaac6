/** gate.seal: what is written becomes a segment that nobody can change, and its head is told outside. */
import { anchorBy, openLedger, seal } from '#lib/product/index.ts'
import { openAlertNotifier, openAuditBucket, openFoundation, openTable, scheduledFunction } from '../../shared/index.ts'

export const handler = scheduledFunction('gate.seal', async () => {
  const foundation = openFoundation({ records: openTable(), notifier: openAlertNotifier() })
  const ledger = openLedger(foundation, openAuditBucket(), anchorBy(foundation))
  const run = async () => {
    const { segments, entryCount } = await seal({ ...foundation, ledger })
    return { segments: segments.length, entryCount }
  }
  return { ...foundation, run }
})
