/** recovery.part: one range of a large table, in the snapshot that recovery.capture holds. */
import { parquet } from '#lib/adapters/parquet/index.ts'
import { openDatabase, openSnapshotBucket, openTable, queueFunction, SYSTEM } from '../../shared/index.ts'
import { partParts } from './parts.ts'

const open = async () => {
  const database = await openDatabase('backstop-part')
  return partParts({ ...SYSTEM, database, records: openTable(), objects: openSnapshotBucket(), columnar: parquet })
}

export const handler = queueFunction('recovery.part', 'part', open, { leaseS: 60 })
