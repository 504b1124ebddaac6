/** recovery.capture: one recovery point for each order. */
import { parquet } from '#lib/adapters/parquet/index.ts'
import {
  openAlertNotifier,
  openDatabase,
  openFoundation,
  openQueues,
  openSnapshotBucket,
  openTable,
  queueFunction,
} from '../../shared/index.ts'
import { captureParts } from './parts.ts'

const open = async () => {
  const foundation = openFoundation({ records: openTable(), notifier: openAlertNotifier() })
  const database = await openDatabase('backstop-capture')
  const queue = openQueues('part')
  return captureParts(foundation, { database, snapshots: openSnapshotBucket(), columnar: parquet, queue })
}

export const handler = queueFunction('recovery.capture', 'capture', open, { leaseS: 60 })
