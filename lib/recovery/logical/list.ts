/** Which logical backups there are, from the storage alone. */
import type { ObjectStore } from '#lib/ports/index.ts'
import { type BackupList, listManifests } from '../backup/index.ts'
import { LOGICAL_PREFIX, type LogicalBackup, logicalSchema } from './model.ts'

export async function listLogicalBackups(objects: ObjectStore): Promise<BackupList<LogicalBackup>> {
  return await listManifests(objects, LOGICAL_PREFIX, logicalSchema)
}
