/** Restores a logical backup: object → proven → pg_restore. */
import type { NativeTools } from '#lib/ports/index.ts'
import { proveContent, readChecked, readManifest, type StoredContent } from '../backup/index.ts'
import {
  type LogicalBackup,
  type LogicalPorts,
  logicalFolder,
  logicalSchema,
  type RestoreLogicalOrder,
} from './model.ts'

type RestorePorts = Pick<LogicalPorts, 'objects' | 'tools' | 'files'>

/** Throws BACKUP_MISSING, BACKUP_CORRUPT. */
export async function findLogicalBackup(objects: LogicalPorts['objects'], backupId: string): Promise<LogicalBackup> {
  return await readManifest(objects, logicalFolder(backupId), logicalSchema)
}

/**
 * The database is touched only after the whole object was proven; from a stream the restore is one transaction.
 *
 * Effects: with one job nothing on this machine; with more the dump in a private temporary file, removed at the end
 * Throws:  BACKUP_MISSING, BACKUP_CORRUPT, NATIVE_TOOL_MISSING, NATIVE_TOOL_FAILED, LOCAL_FILE_FAILED
 */
export async function restoreLogicalBackup(ports: RestorePorts, order: RestoreLogicalOrder): Promise<LogicalBackup> {
  const backup = await findLogicalBackup(ports.objects, order.backupId)
  await ports.tools.versionOf('pg_restore')
  if (order.jobs > 1) await restoreFromFile(ports, order, backup.content)
  else await restoreFromStream(ports, order, backup.content)
  return backup
}

function optionsOf({ isClean, isOwnerless, signal }: RestoreLogicalOrder): Parameters<NativeTools['restoreDump']>[2] {
  return { isClean, isOwnerless, ...(signal ? { signal } : {}) }
}

async function restoreFromStream(ports: RestorePorts, order: RestoreLogicalOrder, stored: StoredContent) {
  await proveContent(ports.objects, stored, order.onBytes)
  const content = readChecked(ports.objects, stored, order.onBytes)
  await ports.tools.restoreDump(order.databaseUrl, { kind: 'stream', content }, optionsOf(order))
}

async function restoreFromFile(ports: RestorePorts, order: RestoreLogicalOrder, stored: StoredContent) {
  const content = readChecked(ports.objects, stored, order.onBytes)
  const file = await ports.files.spool(order.temporaryFolder, content)
  try {
    const source = { kind: 'file', path: file.path, jobs: order.jobs } as const
    await ports.tools.restoreDump(order.databaseUrl, source, optionsOf(order))
  } finally {
    await file.remove()
  }
}
