/** gate.run: approved statements that may outlive a request. */
import { parquet } from '#lib/adapters/parquet/index.ts'
import {
  openAlertNotifier,
  openAnnouncedPolicy,
  openDatabase,
  openFoundation,
  openGateDatabases,
  openSnapshotBucket,
  openTable,
  queueFunction,
} from '../../shared/index.ts'
import { runParts } from './parts.ts'

const open = async () => {
  const foundation = openFoundation({ records: openTable(), notifier: openAlertNotifier() })
  const [database, policy] = await Promise.all([openDatabase('backstop-run'), openAnnouncedPolicy(foundation)])
  const snapshots = openSnapshotBucket()
  return runParts(foundation, { database, policy, snapshots, columnar: parquet, openGateDatabases })
}

export const handler = queueFunction('gate.run', 'run', open, { leaseS: 60 })
