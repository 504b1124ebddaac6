/** What the command line needs of the product without running it. */
import { parquet } from '#lib/adapters/parquet/index.ts'
import type { OpenAuditLedger } from '#lib/gate/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { Database, ObjectStore, RecordStore } from '#lib/ports/index.ts'
import { openLedger } from '#lib/product/index.ts'
import { openRecovery, type Recovery } from '#lib/recovery/index.ts'
import type { RuntimeConfig } from './config.ts'
import { connectDatabase } from './connect.ts'
import { openMetadata, openStorage } from './storage.ts'
import { SYSTEM } from './system.ts'

export interface RecoveryTools {
  readonly recovery: Recovery
  close(): Promise<void>
}

export interface RecoveryLocations {
  readonly dbUrl: string
  readonly storageUrl: string
  /** Absent: in memory, filled by a scan of the storage. */
  readonly metadataPath?: string
}

/** Capture, list and restore against any database and storage. Throws DATABASE_UNREACHABLE, STORAGE_URL_INVALID, … */
export async function openRecoveryTools(locations: RecoveryLocations): Promise<RecoveryTools> {
  const database = await connectDatabase(locations.dbUrl, 4)
  try {
    const objects = await openStorage(locations.storageUrl, 'read')
    const records = await openMetadata(locations.metadataPath ?? ':memory:')
    const recovery = openRecovery({ database, objects, records, columnar: parquet, ...SYSTEM })
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
const NO_DATABASE: Database = {
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

export interface LedgerTools {
  readonly ledger: OpenAuditLedger
  readonly records: RecordStore
  readonly objects: ObjectStore
  close(): Promise<void>
}

/** Verify and export where the product keeps its ledger; also beside a running product. */
export async function openLedgerTools(config: RuntimeConfig): Promise<LedgerTools> {
  const objects = await openStorage(config.storageUrl, 'read')
  const records = await openMetadata(config.metadataPath)
  const ledger = openLedger({ records, settings: config, ...SYSTEM }, objects)
  return { ledger, records, objects, close: () => records.close() }
}
