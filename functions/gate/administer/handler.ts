/** gate.administer: operators stop and resume, release quarantines, and take recovery points by hand. */
import { parquet } from '#lib/adapters/parquet/index.ts'
import {
  httpFunction,
  openAlertNotifier,
  openDatabase,
  openFoundation,
  openPolicy,
  openSnapshotBucket,
  openTable,
  openTokenSecret,
} from '../../shared/index.ts'
import { administerParts } from './parts.ts'

export const handler = httpFunction('gate.administer', async () => {
  const foundation = openFoundation({ records: openTable(), notifier: openAlertNotifier() })
  const tokens = openTokenSecret()
  return administerParts(foundation, {
    database: await openDatabase('backstop-administer'),
    snapshots: openSnapshotBucket('request'),
    columnar: parquet,
    policy: await openPolicy(foundation),
    listTokens: async () => (await tokens.registry()).list(),
  })
})
