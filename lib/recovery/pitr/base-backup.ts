/** Takes a base backup: tars of the server → each file hashed and compared → zstd → objects, manifest last. */
import { BackstopError, instantFrom, isBackstopError } from '#lib/kernel/index.ts'
import type { NativeTools } from '#lib/ports/index.ts'
import { assertFree, chooseBackupId, discard, proveContent, writeManifest } from '../backup/index.ts'
import { findSystem, parseLsn, segmentName, segmentOfLsn } from '../wal/index.ts'
import {
  type BackedUpFile,
  type BackedUpTablespace,
  type BaseBackup,
  type BaseBackupOrder,
  baseFolder,
  contentKey,
  type PitrPorts,
} from './model.ts'
import { receive } from './receive.ts'
import { compareWithServer, readServerManifest, readSystemIdentifier, type ServerManifest } from './server-facts.ts'
import { receiveSpooled, type SpooledBackup, type SpoolPorts } from './spooled.ts'

type BasePorts = Omit<PitrPorts, 'files' | 'tools'> &
  SpoolPorts & { readonly tools: Pick<NativeTools, 'versionOf' | 'baseBackup'> }

/**
 * Nothing is kept unless all of it arrived as the server sent it.
 *
 * Effects: one compressed copy in the object store; on this machine one in scratch while a server has tablespaces
 * Throws:  BACKUP_EXISTS, BACKUP_CORRUPT, BACKUP_TABLESPACES, WAL_SYSTEM_MISMATCH, NATIVE_TOOL_MISSING, NATIVE_TOOL_FAILED
 */
export async function takeBaseBackup(ports: BasePorts, order: BaseBackupOrder): Promise<BaseBackup> {
  const { objects, tools, clock } = ports
  const { clusterId } = order
  const backupId = chooseBackupId(order.backupId, 'base', ports.random)
  const folder = baseFolder(clusterId, backupId)
  await assertFree(objects, folder)
  const toolVersion = await tools.versionOf('pg_basebackup')
  const startedAt = instantFrom(clock.nowMs())
  const received = await receiveAll(ports, order, backupId)
  const { arrived, content, tablespaces } = received
  const contents = [content, ...tablespaces.map((one) => one.content)]
  try {
    const facts = await judge(ports, clusterId, received)
    for (const one of contents) await proveContent(objects, one)
    const finishedAt = instantFrom(clock.nowMs())
    const backup: BaseBackup = {
      format: 'backstop-base-backup',
      version: tablespaces.length > 0 ? 2 : 1,
      backupId,
      clusterId,
      toolVersion,
      startedAt,
      consistentAt: arrived.consistentAt ?? finishedAt,
      finishedAt,
      content,
      totalBytes: [arrived, ...tablespaces]
        .flatMap((one) => one.files)
        .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      files: arrived.files,
      tablespaces: [...tablespaces],
      ...facts,
    }
    await writeManifest(objects, folder, backup)
    return backup
  } catch (error) {
    await discard(objects, folder, ...contents.map(({ key }) => key))
    throw error
  }
}

/** One stream, where the server has no tablespaces of its own. */
async function receiveAll(ports: BasePorts, order: BaseBackupOrder, backupId: string): Promise<SpooledBackup> {
  const { serverUrl, clusterId, signal, onBytes } = order
  try {
    const source = ports.tools.baseBackup(serverUrl, { label: `backstop ${backupId}`, ...(signal ? { signal } : {}) })
    const received = await receive(ports, source, contentKey(clusterId, backupId), (done) => onBytes?.(done, 0))
    return { ...received, tablespaces: [] }
  } catch (error) {
    if (!isBackstopError(error, 'BACKUP_TABLESPACES')) throw error
    return await receiveSpooled(ports, order, backupId)
  }
}

/** Throws BACKUP_CORRUPT, WAL_SYSTEM_MISMATCH. */
async function judge({ objects }: BasePorts, clusterId: string, { arrived, tablespaces }: SpooledBackup) {
  const { files, facts, segment } = arrived
  const manifestBytes = facts.get('backup_manifest')
  if (manifestBytes === undefined || segment === undefined || !facts.has('backup_label')) {
    throw new BackstopError('BACKUP_CORRUPT', 'the base backup is not whole: its manifest, label or WAL did not come')
  }
  const server = readServerManifest(manifestBytes)
  compareWithServer([...files, ...tablespaces.flatMap(asServerNames)], server)
  assertWal(files, server, segment.segmentBytes)
  const systemIdentifier = readSystemIdentifier(facts.get('global/pg_control'))
  const known = await findSystem(objects, clusterId)
  if (known !== undefined && known.systemIdentifier !== systemIdentifier) {
    const reason = `the archive "${clusterId}" belongs to the system ${known.systemIdentifier}, this is ${systemIdentifier}`
    throw new BackstopError('WAL_SYSTEM_MISMATCH', reason)
  }
  const { timeline, startLsn, stopLsn } = server
  const serverVersion = Buffer.from(facts.get('PG_VERSION') ?? [])
    .toString()
    .trim()
  return { systemIdentifier, serverVersion, timeline, startLsn, stopLsn, segmentBytes: segment.segmentBytes }
}

/** As the paths of the server's own manifest, which go through its links. */
function asServerNames({ oid, files }: BackedUpTablespace): BackedUpFile[] {
  return files.map((file) => ({ ...file, path: `pg_tblspc/${oid}/${file.path}` }))
}

/** The WAL from start to stop is in it: it can be recovered without an archive. */
function assertWal(files: readonly BackedUpFile[], server: ServerManifest, segmentBytes: number): void {
  const paths = new Set(files.map(({ path }) => path))
  // A stop on the first byte of a segment needs nothing of it.
  const last = segmentOfLsn(parseLsn(server.stopLsn) - 1n, segmentBytes)
  for (let number = segmentOfLsn(parseLsn(server.startLsn), segmentBytes); number <= last; number++) {
    const name = segmentName(server.timeline, number, segmentBytes)
    if (!paths.has(`pg_wal/${name}`)) {
      throw new BackstopError('BACKUP_CORRUPT', `the base backup is not whole: the WAL segment ${name} did not come`)
    }
  }
}
