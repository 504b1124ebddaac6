/** Takes a base backup: tar of the server → each file hashed and compared → zstd → object, manifest last. */
import { createHash } from 'node:crypto'
import { BackstopError, type Instant, instantFrom, isBackstopError, type Sha256Hex } from '#lib/kernel/index.ts'
import type { NativeTools, WrittenObject } from '#lib/ports/index.ts'
import { assertFree, chooseBackupId, discard, proveContent, writeManifest } from '../backup/index.ts'
import {
  findSystem,
  parseLsn,
  readSegment,
  type SegmentFacts,
  segmentName,
  segmentOfLsn,
  walFileOf,
} from '../wal/index.ts'
import { compressInto } from './compressed.ts'
import {
  type BackedUpFile,
  type BaseBackup,
  type BaseBackupOrder,
  baseFolder,
  contentKey,
  type PitrPorts,
} from './model.ts'
import {
  compareWithServer,
  FACT_FILES,
  readServerManifest,
  readSystemIdentifier,
  type ServerManifest,
} from './server-facts.ts'
import { readTar, type TarEntry } from './tar.ts'

type BasePorts = Omit<PitrPorts, 'files' | 'tools'> & { readonly tools: Pick<NativeTools, 'versionOf' | 'baseBackup'> }

/** What passed by. */
interface Arrived {
  readonly files: BackedUpFile[]
  readonly facts: Map<string, Uint8Array>
  segment?: SegmentFacts
  /** When the first WAL came: the server sends it after the end of the backup. */
  consistentAt?: Instant
}

/**
 * Nothing is kept unless all of it arrived as the server sent it.
 *
 * Effects: one compressed copy in the object store, none on this machine
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
  const key = contentKey(clusterId, backupId)
  const { arrived, written } = await receive(ports, order, backupId, key)
  try {
    const content = { key, ...written }
    const facts = await judge(ports, clusterId, arrived)
    await proveContent(objects, content)
    const finishedAt = instantFrom(clock.nowMs())
    const backup: BaseBackup = {
      format: 'backstop-base-backup',
      version: 1,
      backupId,
      clusterId,
      toolVersion,
      startedAt,
      consistentAt: arrived.consistentAt ?? finishedAt,
      finishedAt,
      content,
      totalBytes: arrived.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      files: arrived.files,
      ...facts,
    }
    await writeManifest(objects, folder, backup)
    return backup
  } catch (error) {
    await discard(objects, folder, key)
    throw error
  }
}

async function receive(ports: BasePorts, order: BaseBackupOrder, backupId: string, key: string) {
  const upload = compressInto(await ports.objects.openUpload(key, { ifAbsent: true }))
  const arrived: Arrived = { files: [], facts: new Map() }
  try {
    const { signal } = order
    const options = { label: `backstop ${backupId}`, ...(signal ? { signal } : {}) }
    const source = passOn(ports.tools.baseBackup(order.serverUrl, options), upload, order)
    for await (const entry of readTar(source)) {
      if (entry.kind === 'file') await note(entry, arrived, ports)
    }
    return { arrived, written: (await upload.commit()) as WrittenObject }
  } catch (error) {
    await upload.abort()
    if (!isBackstopError(error, 'OBJECT_EXISTS')) throw error
    throw new BackstopError('BACKUP_EXISTS', `another run has written ${key} meanwhile`, { cause: error })
  }
}

async function* passOn(
  source: AsyncIterable<Uint8Array>,
  upload: { write(chunk: Uint8Array): Promise<void> },
  { onBytes }: BaseBackupOrder,
): AsyncGenerator<Uint8Array, void> {
  let doneBytes = 0
  for await (const chunk of source) {
    await upload.write(chunk)
    doneBytes += chunk.length
    onBytes?.(doneBytes, 0)
    yield chunk
  }
}

async function note(entry: TarEntry, arrived: Arrived, ports: BasePorts): Promise<void> {
  const hash = createHash('sha256')
  const wal = walFileOf(entry.path)
  const kept: Uint8Array[] = []
  const isKept = wal !== undefined || FACT_FILES.has(entry.path)
  if (wal !== undefined) arrived.consistentAt ??= instantFrom(ports.clock.nowMs())
  for await (const chunk of entry.content) {
    hash.update(chunk)
    if (isKept) kept.push(chunk)
  }
  const sha256 = hash.digest('hex') as Sha256Hex
  arrived.files.push({ path: entry.path, sizeBytes: entry.sizeBytes, sha256 })
  if (wal !== undefined) arrived.segment = readSegment(wal, Buffer.concat(kept))
  else if (isKept) arrived.facts.set(entry.path, Buffer.concat(kept))
}

/** Throws BACKUP_CORRUPT, WAL_SYSTEM_MISMATCH. */
async function judge({ objects }: BasePorts, clusterId: string, { files, facts, segment }: Arrived) {
  const manifestBytes = facts.get('backup_manifest')
  if (manifestBytes === undefined || segment === undefined || !facts.has('backup_label')) {
    throw new BackstopError('BACKUP_CORRUPT', 'the base backup is not whole: its manifest, label or WAL did not come')
  }
  const server = readServerManifest(manifestBytes)
  compareWithServer(files, server)
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
