/** recovery.plan: which tables need a recovery point now. */
import {
  openAlertNotifier,
  openCaptureQueues,
  openDatabase,
  openFoundation,
  openPolicy,
  openSnapshotBucket,
  openTable,
  scheduledFunction,
} from '../../shared/index.ts'
import { planParts } from './parts.ts'

export const handler = scheduledFunction('recovery.plan', async () => {
  const foundation = openFoundation({ records: openTable(), notifier: openAlertNotifier() })
  const [database, policy] = await Promise.all([openDatabase('backstop-plan'), openPolicy(foundation)])
  return planParts(foundation, { database, policy, snapshots: openSnapshotBucket(), ...openCaptureQueues() })
})
