/** recovery.retain: what no policy keeps is removed. */
import {
  openAlertNotifier,
  openFoundation,
  openSnapshotBucket,
  openTable,
  scheduledFunction,
} from '../../shared/index.ts'
import { retainParts } from './parts.ts'

export const handler = scheduledFunction('recovery.retain', async () => {
  const foundation = openFoundation({ records: openTable(), notifier: openAlertNotifier() })
  return retainParts(foundation, { snapshots: openSnapshotBucket() })
})
