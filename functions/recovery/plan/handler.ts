/** recovery.plan: which tables need a recovery point now. */
import {
  openAlertNotifier,
  openDatabase,
  openFoundation,
  openPolicy,
  openQueues,
  openSnapshotBucket,
  openTable,
  scheduledFunction,
} from '../../shared/index.ts'
import { planParts } from './parts.ts'

export const handler = scheduledFunction('recovery.plan', async () => {
  const foundation = openFoundation({ records: openTable(), notifier: openAlertNotifier() })
  const [database, policy] = await Promise.all([openDatabase('backstop-plan'), openPolicy(foundation)])
  return planParts(foundation, { database, policy, snapshots: openSnapshotBucket(), queue: openQueues('capture') })
})
