/** What drills work with: the storage, where evidence is kept, PostgreSQL's programs and servers. */
import {
  createNativeTools,
  createPreparedServers,
  localFiles,
  type NativeToolsOptions,
} from '#lib/adapters/native/index.ts'
import type { LogicalDrillPorts, RestoreDrillPorts } from '#lib/recovery/index.ts'
import { openMetadata, openStorage } from '../storage.ts'
import { SYSTEM } from '../system.ts'
import { connectDatabase } from './connect-database.ts'

export interface DrillTools extends LogicalDrillPorts, RestoreDrillPorts {
  close(): Promise<void>
}

export interface DrillPlaces extends NativeToolsOptions {
  readonly storageUrl: string
  /** Absent: the evidence is kept as an object alone. */
  readonly metadataPath?: string | undefined
  readonly serverFolder?: string | undefined
}

const CONNECTIONS = 3

/** Throws STORAGE_URL_INVALID, STORAGE_UNREACHABLE, METADATA_UNREACHABLE. */
export async function openDrillTools({
  storageUrl,
  metadataPath,
  serverFolder,
  ...native
}: DrillPlaces): Promise<DrillTools> {
  const objects = await openStorage(storageUrl, 'write')
  const records = await openMetadata(metadataPath ?? ':memory:')
  return {
    objects,
    records,
    files: localFiles,
    tools: createNativeTools(native),
    servers: createPreparedServers({ environment: native.environment, binFolder: serverFolder }),
    openDatabase: (url) => connectDatabase(url, CONNECTIONS),
    ...SYSTEM,
    close: () => records.close(),
  }
}
