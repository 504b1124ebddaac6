/** Recovery points of any database and storage, without the product. */
import { parquet } from '#lib/adapters/parquet/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { Database } from '#lib/ports/index.ts'
import { openRecovery, type Recovery, sessionHelpers } from '#lib/recovery/index.ts'
import { captureWorkers } from '../capture-workers.ts'
import { openMetadata, openStorage } from '../storage.ts'
import { SYSTEM } from '../system.ts'
import { connectDatabase } from './connect-database.ts'

const MEGABYTE = 1_048_576

export interface RecoveryTools {
  readonly recovery: Recovery
  close(): Promise<void>
}

export interface RecoveryLocations {
  readonly dbUrl: string
  readonly storageUrl: string
  /** Absent: in memory, filled by a scan of the storage. */
  readonly metadataPath?: string
  /** A table with a larger row is not captured. */
  readonly maxRowMegabytes?: number
  /** Sessions that capture one large table; 0 and absent: one for each core but one, at most two. */
  readonly captureWorkers?: number
}

/** Capture, list and restore against any database and storage. Throws DATABASE_UNREACHABLE, STORAGE_URL_INVALID, … */
export async function openRecoveryTools(locations: RecoveryLocations): Promise<RecoveryTools> {
  const database = await connectDatabase(locations.dbUrl, 4)
  try {
    const objects = await openStorage(locations.storageUrl, 'read')
    const records = await openMetadata(locations.metadataPath ?? ':memory:')
    const { maxRowMegabytes } = locations
    const limits = maxRowMegabytes === undefined ? {} : { maxRowBytes: maxRowMegabytes * MEGABYTE }
    const ports = { database, objects, columnar: parquet, ...SYSTEM }
    const workers = captureWorkers(locations.captureWorkers ?? 0)
    const helpers = sessionHelpers(ports, { workers })
    const recovery = openRecovery({ ...ports, records, helpers, ...limits })
    if (locations.metadataPath === undefined) await recovery.rebuildCatalog()
    return {
      recovery,
      close: async () => {
        await records.close()
        await database.close()
      },
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** For when it is the database that is gone. */
export const NO_DATABASE: Database = {
  label: 'no database',
  withSession: refuse,
  withDedicatedSession: refuse,
  cancel: async () => {},
  close: async () => {},
}

function refuse(): Promise<never> {
  return Promise.reject(new BackstopError('CONFIG_INVALID', 'This needs a database: give --db.'))
}

/** List and read recovery points from the storage, without a database. Throws STORAGE_URL_INVALID, STORAGE_UNREACHABLE, … */
export async function openPointTools(locations: Omit<RecoveryLocations, 'dbUrl'>): Promise<RecoveryTools> {
  const objects = await openStorage(locations.storageUrl, 'read')
  const records = await openMetadata(locations.metadataPath ?? ':memory:')
  const recovery = openRecovery({ database: NO_DATABASE, objects, records, columnar: parquet, ...SYSTEM })
  return { recovery, close: () => records.close() }
}
