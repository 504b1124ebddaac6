/** Takes a logical backup: pg_dump → object, read back, manifest last. */
import { BackstopError, instantFrom, isBackstopError } from '#lib/kernel/index.ts'
import type { WrittenObject } from '#lib/ports/index.ts'
import { assertFree, chooseBackupId, discard, readChecked, type StoredContent, writeManifest } from '../backup/index.ts'
import { type CreateLogicalOrder, dumpKey, type LogicalBackup, type LogicalPorts, logicalFolder } from './model.ts'

type CreatePorts = Omit<LogicalPorts, 'files'>

/**
 * Nothing is kept unless all of it is: a dump that failed leaves no object, and one that was killed no manifest.
 *
 * Effects: one copy in the object store, none on this machine
 * Throws:  BACKUP_EXISTS, BACKUP_CORRUPT when it does not read back, NATIVE_TOOL_MISSING, NATIVE_TOOL_FAILED
 */
export async function createLogicalBackup(ports: CreatePorts, order: CreateLogicalOrder): Promise<LogicalBackup> {
  const backupId = chooseBackupId(order.backupId, 'dump', ports.random)
  await assertFree(ports.objects, logicalFolder(backupId))
  const toolVersion = await ports.tools.versionOf('pg_dump')
  const startedAt = instantFrom(ports.clock.nowMs())
  const key = dumpKey(backupId)
  const content = { key, ...(await upload(ports, order, key)) }
  try {
    const { databaseName, ...listing } = await readBack(ports, content, order.signal)
    const backup: LogicalBackup = {
      format: 'backstop-logical-backup',
      version: 1,
      backupId,
      databaseName,
      toolVersion,
      excludeTables: [...(order.excludeTables ?? [])],
      startedAt,
      finishedAt: instantFrom(ports.clock.nowMs()),
      content,
      ...listing,
    }
    await writeManifest(ports.objects, logicalFolder(backupId), backup)
    return backup
  } catch (error) {
    await discard(ports.objects, logicalFolder(backupId), key)
    throw error
  }
}

async function upload(ports: CreatePorts, order: CreateLogicalOrder, key: string): Promise<WrittenObject> {
  const { databaseUrl, excludeTables = [], snapshotName, signal, onBytes } = order
  const target = await ports.objects.openUpload(key, { ifAbsent: true })
  let doneBytes = 0
  try {
    const options = { excludeTables, snapshotName, ...(signal ? { signal } : {}) }
    for await (const chunk of ports.tools.dump(databaseUrl, options)) {
      await target.write(chunk)
      doneBytes += chunk.length
      onBytes?.(doneBytes, 0)
    }
    return await target.commit()
  } catch (error) {
    await target.abort()
    if (!isBackstopError(error, 'OBJECT_EXISTS')) throw error
    throw new BackstopError('BACKUP_EXISTS', `another run has written ${key} meanwhile`, { cause: error })
  }
}

async function readBack(ports: CreatePorts, content: StoredContent, signal: AbortSignal | undefined) {
  const listing = await ports.tools.listDump(readChecked(ports.objects, content), signal ? { signal } : {})
  if (listing.entryCount > 0) return listing
  throw new BackstopError('BACKUP_CORRUPT', 'the dump has an empty table of contents: nothing was backed up')
}
