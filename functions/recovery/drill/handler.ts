/** recovery.drill: a table is restored for real, beside the real one; WAL and a prepared folder go through scratch. */
import { localFiles } from '#lib/adapters/native/index.ts'
import { parquet } from '#lib/adapters/parquet/index.ts'
import {
  openAlertNotifier,
  openDatabase,
  openFoundation,
  openSnapshotBucket,
  openTable,
  scheduledFunction,
} from '../../shared/index.ts'
import { drillParts } from './parts.ts'

export const handler = scheduledFunction('recovery.drill', async () => {
  const foundation = openFoundation({ records: openTable(), notifier: openAlertNotifier() })
  const database = await openDatabase('backstop-drill')
  return drillParts(foundation, { database, snapshots: openSnapshotBucket(), columnar: parquet, files: localFiles })
})
