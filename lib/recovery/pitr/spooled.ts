/** A base backup of a server with tablespaces, which cannot be streamed: a copy in scratch first, then tar by tar. */
import { join } from 'node:path'
import { BackstopError, instantFrom } from '#lib/kernel/index.ts'
import type { LocalFiles, NativeTools } from '#lib/ports/index.ts'
import { type BackedUpTablespace, type BaseBackupOrder, contentKey, type PitrPorts, tablespaceKey } from './model.ts'
import { type Received, receive } from './receive.ts'
import { readTablespaceMap } from './tablespace-map.ts'

export type SpoolPorts = Pick<PitrPorts, 'objects' | 'clock'> & {
  readonly tools: Pick<NativeTools, 'baseBackupInto'>
  readonly files: Pick<LocalFiles, 'makeScratch' | 'freeBytes' | 'read' | 'readStream'>
}

export interface SpooledBackup extends Received {
  readonly tablespaces: readonly BackedUpTablespace[]
}

/** Hundreds of bytes for each file of the server. */
const SERVER_MANIFEST_BYTES = 1 << 30

/**
 * Effects: a copy of the server in scratch, removed in the end; objects, removed when one of them fails
 * Throws:  BACKUP_TABLESPACES, BACKUP_EXISTS, BACKUP_CORRUPT, LOCAL_FILE_FAILED, NATIVE_TOOL_FAILED
 */
export async function receiveSpooled(
  ports: SpoolPorts,
  order: BaseBackupOrder,
  backupId: string,
): Promise<SpooledBackup> {
  const { files, clock } = ports
  const scratch = await files.makeScratch(false, order.scratchFolder)
  try {
    await ports.tools.baseBackupInto(order.serverUrl, scratch.path, {
      label: `backstop ${backupId}`,
      ...(order.signal ? { signal: order.signal } : {}),
      onEstimate: (totalBytes) => assertRoom(files, scratch.path, totalBytes, order),
      onReceived: (done, total) => order.onBytes?.(done, total),
    })
    // The server had ended the backup; what follows is on this machine.
    const consistentAt = instantFrom(clock.nowMs())
    const spooled = await sendAll(ports, order, backupId, scratch.path)
    spooled.arrived.consistentAt = consistentAt
    return spooled
  } finally {
    await scratch.remove()
  }
}

async function assertRoom(
  files: Pick<LocalFiles, 'freeBytes'>,
  folder: string,
  neededBytes: number,
  { onScratch }: BaseBackupOrder,
): Promise<void> {
  const freeBytes = await files.freeBytes(folder)
  onScratch?.({ folder, neededBytes, freeBytes })
  if (freeBytes >= neededBytes) return
  const reason = `${folder}: the copy needs ${neededBytes} bytes and ${freeBytes} are free; name a larger place with --scratch-dir`
  throw new BackstopError('LOCAL_FILE_FAILED', reason)
}

async function sendAll(
  ports: SpoolPorts,
  order: BaseBackupOrder,
  backupId: string,
  folder: string,
): Promise<SpooledBackup> {
  const { objects, files } = ports
  const { clusterId } = order
  const written: string[] = []
  const send = async (name: string, key: string) => {
    order.signal?.throwIfAborted()
    const received = await receive(ports, files.readStream(join(folder, name)), key, (done) => order.onBytes?.(done, 0))
    written.push(key)
    return received
  }
  try {
    const base = await send('base.tar', contentKey(clusterId, backupId))
    const { facts } = base.arrived
    facts.set('backup_manifest', await files.read(join(folder, 'backup_manifest'), SERVER_MANIFEST_BYTES))
    const tablespaces: BackedUpTablespace[] = []
    for (const { oid, location } of readTablespaceMap(facts.get('tablespace_map'))) {
      const { arrived, content } = await send(`${oid}.tar`, tablespaceKey(clusterId, backupId, oid))
      const totalBytes = arrived.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      tablespaces.push({ oid, location, content, totalBytes, files: arrived.files })
    }
    return { ...base, tablespaces }
  } catch (error) {
    for (const key of written) await objects.delete(key).catch(() => undefined)
    throw error
  }
}
