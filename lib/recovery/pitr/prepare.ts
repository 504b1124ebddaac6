/** Prepares a data folder from a base backup, so that a server started on it recovers to the target. */
import { createHash } from 'node:crypto'
import { BackstopError, isSameDigest, type Sha256Hex } from '#lib/kernel/index.ts'
import type { FolderWriter, ObjectStore } from '#lib/ports/index.ts'
import { type OnBytes, proveContent, readChecked, readManifest, type StoredContent } from '../backup/index.ts'
import { findGaps, findSystem, listArchive, parseLsn, segmentName, segmentOfLsn } from '../wal/index.ts'
import { decompress } from './compressed.ts'
import { listBaseBackups } from './list.ts'
import {
  type BackedUpFile,
  type BaseBackup,
  baseBackupSchema,
  baseFolder,
  type PitrPorts,
  type PrepareOrder,
} from './model.ts'
import { writeRecoverySettings } from './settings.ts'
import { writeTablespaceMap } from './tablespace-map.ts'
import { placeTablespaces, type TablespacePlace } from './tablespace-places.ts'
import { readTar, type TarEntry } from './tar.ts'
import { chooseBaseBackup, findObjection } from './target.ts'

const AUTO_CONF = 'postgresql.auto.conf'
const FILE_MODE = 0o600
const FOLDER_MODE = 0o700

export interface PrepareReport {
  readonly backup: BaseBackup
  readonly fileCount: number
  readonly tablespaces: readonly TablespacePlace[]
  readonly notes: readonly string[]
}

/** One object of a backup, and what is in it. */
interface Part {
  readonly content: StoredContent
  readonly files: readonly BackedUpFile[]
}

type PreparePorts = Pick<PitrPorts, 'objects' | 'files'>

/**
 * Every file is compared with its SHA-256 on its way; folders that cannot be completed are emptied again.
 *
 * Effects: fills the folder, and one for each tablespace; what was in them is removed only after the whole backup was proven
 * Throws:  BACKUP_MISSING, BACKUP_CORRUPT, RECOVERY_TARGET_INVALID, TABLESPACE_MAPPING_INVALID, TARGET_FOLDER_REFUSED,
 *          WAL_SYSTEM_MISMATCH, WAL_MISSING, LOCAL_FILE_FAILED
 */
export async function prepareRestore(ports: PreparePorts, order: PrepareOrder): Promise<PrepareReport> {
  const { objects, files } = ports
  const isEmpty = await isFree(files, order.folder, order)
  const backup = await findBackup(objects, order)
  const places = placeTablespaces(backup.tablespaces, order.folder, order.tablespaceMappings ?? [])
  let isAllEmpty = isEmpty
  for (const { folder } of places) isAllEmpty = (await isFree(files, folder, order)) && isAllEmpty
  const notes = await lookAtArchive(objects, backup, order)
  if (!isAllEmpty) await proveBackup(objects, backup, order.onBytes)
  await fill(ports, backup, places, order)
  const fileCount = partsOf(backup).reduce((sum, part) => sum + part.files.length, 0)
  return { backup, fileCount, tablespaces: places, notes }
}

/** Throws TARGET_FOLDER_REFUSED unless it is empty, or may be replaced. */
async function isFree(files: PreparePorts['files'], folder: string, { isReplacing }: PrepareOrder): Promise<boolean> {
  const { isEmpty, isInUse } = await files.look(folder)
  if (isInUse) refuse(`a server may be running on ${folder}: it holds postmaster.pid`)
  if (!isEmpty && !isReplacing) refuse(`${folder} is not empty`)
  return isEmpty
}

/** The data folder first, then the tablespaces in their order. */
function partsOf(backup: BaseBackup): readonly [Part, ...Part[]] {
  return [backup, ...backup.tablespaces]
}

/** Read all of it for the proof alone. Throws BACKUP_CORRUPT. */
export async function proveBackup(objects: ObjectStore, backup: BaseBackup, onBytes?: OnBytes): Promise<void> {
  const progress = inAll(backup, onBytes)
  for (const { content } of partsOf(backup)) await proveContent(objects, content, progress.of(content))
}

/** One progress of several objects. */
function inAll(backup: BaseBackup, onBytes: OnBytes = () => {}) {
  const totalBytes = partsOf(backup).reduce((sum, { content }) => sum + content.sizeBytes, 0)
  let beforeBytes = 0
  return {
    of(content: StoredContent): OnBytes {
      const startBytes = beforeBytes
      beforeBytes += content.sizeBytes
      return (doneBytes) => onBytes(startBytes + doneBytes, totalBytes)
    },
  }
}

async function fill(
  { objects, files }: PreparePorts,
  backup: BaseBackup,
  places: readonly TablespacePlace[],
  order: PrepareOrder,
): Promise<void> {
  const progress = inAll(backup, order.onBytes)
  const opened: FolderWriter[] = []
  const extractInto = async (path: string, part: Part) => {
    const folder = await files.openFolder(path, order.isReplacing)
    opened.push(folder)
    await extract(objects, part, folder, progress.of(part.content))
    return folder
  }
  try {
    const data = await extractInto(order.folder, backup)
    for (const { tablespace, folder } of places) await extractInto(folder, tablespace)
    await configure(data, order)
    await linkTablespaces(data, places)
    for (const folder of opened) await folder.finish()
  } catch (error) {
    for (const folder of opened.reverse()) await folder.abort()
    throw error
  }
}

/** The server makes its links from it when it starts. */
async function linkTablespaces(data: FolderWriter, places: readonly TablespacePlace[]): Promise<void> {
  if (places.length === 0) return
  const links = places.map(({ tablespace, folder }) => ({ oid: tablespace.oid, location: folder }))
  await data.addFile('tablespace_map', FILE_MODE, textOf(writeTablespaceMap(links)))
}

function refuse(message: string): never {
  throw new BackstopError('TARGET_FOLDER_REFUSED', message)
}

async function findBackup(objects: ObjectStore, { clusterId, backupId, target }: PrepareOrder): Promise<BaseBackup> {
  if (backupId === undefined) return chooseBaseBackup((await listBaseBackups(objects, clusterId)).backups, target)
  const backup = await readManifest(objects, baseFolder(clusterId, backupId), baseBackupSchema)
  const objection = findObjection(backup, target)
  if (objection === undefined) return backup
  throw new BackstopError('RECOVERY_TARGET_INVALID', `the target lies before the base backup: ${objection}`)
}

/** What the WAL lets one expect. Throws WAL_SYSTEM_MISMATCH, WAL_MISSING. */
async function lookAtArchive(objects: ObjectStore, backup: BaseBackup, { target }: PrepareOrder): Promise<string[]> {
  const { clusterId, systemIdentifier, segmentBytes } = backup
  const system = await findSystem(objects, clusterId)
  if (system === undefined) return ['no WAL of this server is archived: the recovery ends with the base backup']
  if (system.systemIdentifier !== systemIdentifier) {
    const reason = `the base backup is of the system ${systemIdentifier}, the archive "${clusterId}" of ${system.systemIdentifier}`
    throw new BackstopError('WAL_SYSTEM_MISMATCH', reason)
  }
  const first = segmentName(backup.timeline, segmentOfLsn(parseLsn(backup.startLsn), segmentBytes), segmentBytes).slice(
    8,
  )
  const { files } = await listArchive(objects, clusterId)
  const later = files.map(({ file }) => file).filter(({ name }) => name.slice(8, 24) >= first)
  const [gap] = findGaps(later, new Map(), segmentBytes).gaps
  if (gap === undefined) return []
  const text = `the archive has a gap after the base backup: ${gap.first}${gap.count > 1 ? ` to ${gap.last}` : ''}`
  if (target !== undefined) return [`${text}; a target behind it cannot be reached`]
  throw new BackstopError(
    'WAL_MISSING',
    `${text}; a recovery to the end would lose what follows it without a word. Give a target before it`,
  )
}

async function extract(objects: ObjectStore, part: Part, folder: FolderWriter, onBytes: OnBytes): Promise<void> {
  const expected = new Map(part.files.map((file) => [file.path, file]))
  const stored = readChecked(objects, part.content, onBytes)
  for await (const entry of readTar(decompress(stored))) {
    if (entry.kind === 'folder') {
      await folder.addFolder(entry.path, FOLDER_MODE)
      continue
    }
    const file = expected.get(entry.path)
    if (file === undefined) corrupt(`${entry.path} is not of the backup`)
    await extractFile(entry, file.sha256 as Sha256Hex, folder)
    expected.delete(entry.path)
  }
  const [missing] = expected.keys()
  if (missing !== undefined) corrupt(`${missing} is missing`)
}

async function extractFile(entry: TarEntry, sha256: Sha256Hex, folder: FolderWriter): Promise<void> {
  const hash = createHash('sha256')
  const content = (async function* () {
    for await (const chunk of entry.content) {
      hash.update(chunk)
      yield chunk
    }
  })()
  await folder.addFile(entry.path, FILE_MODE, content)
  if (!isSameDigest(hash.digest('hex') as Sha256Hex, sha256)) corrupt(`checksum mismatch of ${entry.path}`)
}

function corrupt(reason: string): never {
  throw new BackstopError('BACKUP_CORRUPT', `the base backup may be corrupted: ${reason}`)
}

async function configure(folder: FolderWriter, order: PrepareOrder): Promise<void> {
  const before = (await folder.readText(AUTO_CONF)) ?? ''
  await folder.addFile(AUTO_CONF, FILE_MODE, textOf(writeRecoverySettings(before, order)))
  // A backup of a standby carries it, and it would win.
  await folder.remove('standby.signal')
  await folder.addFile('recovery.signal', FILE_MODE, textOf(''))
}

async function* textOf(text: string): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from(text)
}
