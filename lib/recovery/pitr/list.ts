/** Which base backups of a server there are, from the storage alone. */
import type { ObjectStore } from '#lib/ports/index.ts'
import { type BackupList, listManifests } from '../backup/index.ts'
import { type BaseBackup, baseBackupSchema, clusterFolder } from './model.ts'

export async function listBaseBackups(objects: ObjectStore, clusterId: string): Promise<BackupList<BaseBackup>> {
  return await listManifests(objects, clusterFolder(clusterId), baseBackupSchema)
}
