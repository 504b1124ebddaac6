/** recovery.verify: what is stored is read again. */
import {
  openAlertNotifier,
  openAuditBucket,
  openFoundation,
  openSnapshotBucket,
  openTable,
  scheduledFunction,
} from '../../shared/index.ts'
import { verifyParts } from './parts.ts'

export const handler = scheduledFunction('recovery.verify', async () => {
  const foundation = openFoundation({ records: openTable(), notifier: openAlertNotifier() })
  return verifyParts(foundation, { snapshots: openSnapshotBucket(), audit: openAuditBucket() })
})
