/** gate.query: agents' statements. */
import { parquet } from '#lib/adapters/parquet/index.ts'
import {
  httpFunction,
  openAlertNotifier,
  openAnnouncedPolicy,
  openDatabase,
  openFoundation,
  openGateDatabases,
  openQueues,
  openSnapshotBucket,
  openTable,
} from '../../shared/index.ts'
import { queryParts } from './parts.ts'

export const handler = httpFunction('gate.query', async () => {
  const foundation = openFoundation({ records: openTable(), notifier: openAlertNotifier() })
  const [database, policy] = await Promise.all([openDatabase('backstop-query'), openAnnouncedPolicy(foundation)])
  return queryParts(foundation, {
    database,
    policy,
    snapshots: openSnapshotBucket('request'),
    columnar: parquet,
    queue: openQueues('run', 'capture'),
    openGateDatabases,
  })
})
