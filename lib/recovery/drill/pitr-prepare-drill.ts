/** Prepares a data folder as a recovery would, in scratch: of the real base backup, or of a server that does not exist. */
import { join } from 'node:path'
import { BackstopError, epochMsOf, isSameDigest, sha256Hex } from '#lib/kernel/index.ts'
import type { LocalFiles, ObjectStore } from '#lib/ports/index.ts'
import {
  type BaseBackup,
  chooseBaseBackup,
  listBaseBackups,
  type PrepareOrder,
  type PrepareReport,
  prepareRestore,
  type RecoveryTarget,
  takeBaseBackup,
} from '../pitr/index.ts'
import { archiveWal, listArchive } from '../wal/index.ts'
import { type Attempt, type AttemptPorts, runAttempt } from './attempt.ts'
import type { StoredDrill } from './model.ts'
import { clearOldScratch, openScratchStore, withDamage } from './scratch-store.ts'
import { type SimulatedServer, simulateServer } from './simulated-server.ts'
import { expectRefusal, mismatch } from './wal-drill.ts'

export interface PrepareDrillPorts extends AttemptPorts {
  readonly files: LocalFiles
}

export interface PrepareDrillRequest {
  readonly clusterId: string
  /** A server that does not exist, its backup in scratch: nothing real is read. */
  readonly isSimulated: boolean
  readonly backupId?: string | undefined
  readonly target?: RecoveryTarget | undefined
  /** Kept, with what was prepared in it. Absent: a scratch folder, removed. */
  readonly folder?: string | undefined
  /** Of a real server: the line of restore_command. */
  readonly restoreCommand: string
  /** A base backup with more bytes of files than this is not prepared; no limit when absent. */
  readonly maxBytes?: number
  readonly signal?: AbortSignal
}

const SETTINGS_BYTES = 1 << 20
const CONTENT_BYTES = 1 << 26
/** What a folder takes on the disk beyond its files. */
const DISK_FACTOR = 1.05

/**
 * Effects: with a simulated server objects in a scratch folder of the store, removed; a prepared folder, removed unless it was
 *          named; the evidence
 * Throws:  METADATA_UNREACHABLE
 */
export async function runPrepareDrill(ports: PrepareDrillPorts, request: PrepareDrillRequest): Promise<StoredDrill> {
  const { clusterId } = request
  return await runAttempt(ports, { kind: 'pitr-prepare', clusterId }, async (attempt) => {
    const { course, facts } = attempt
    facts['simulated'] = request.isSimulated
    const scratch = await course.must(
      'make scratch',
      () => ports.files.makeScratch(),
      () => 'a folder here',
    )
    const folder = request.folder ?? join(scratch.path, 'data')
    facts['target_dir'] = folder
    facts['target_dir_kept'] = request.folder !== undefined
    try {
      if (request.isSimulated) await prepareSimulated(ports, request, attempt, folder)
      else await prepareReal(ports, request, attempt, folder)
    } finally {
      await course.take(
        'remove scratch',
        () => scratch.remove(),
        () => 'nothing is left',
      )
    }
  })
}

export function prepareOrder(request: PrepareDrillRequest, folder: string): PrepareOrder {
  const { clusterId, backupId, target, restoreCommand, signal } = request
  return {
    clusterId,
    backupId,
    folder,
    target,
    targetAction: 'pause',
    targetTimeline: 'latest',
    isArchiving: false,
    isReplacing: false,
    restoreCommand,
    onBytes: () => signal?.throwIfAborted(),
  }
}

async function prepareReal(
  ports: PrepareDrillPorts,
  request: PrepareDrillRequest,
  attempt: Attempt,
  folder: string,
): Promise<void> {
  const backup = await chooseReal(ports, request, attempt, folder)
  if (backup === undefined) return
  const order = prepareOrder({ ...request, backupId: backup.backupId }, folder)
  const watch = attempt.stopwatch()
  const report = await prepareFolder(ports.objects, ports.files, attempt, order)
  attempt.rtoSeconds = watch()
  for (const note of report.notes) attempt.skip(`archive of ${request.clusterId}`, note)
  await lookAtSettings(ports.files, order, attempt)
  attempt.isProven = true
}

/** Undefined, with the reason among what was skipped, when there is none that can be taken. */
export async function chooseReal(
  { objects, files }: PrepareDrillPorts,
  { clusterId, backupId, target, maxBytes }: PrepareDrillRequest,
  attempt: Attempt,
  folder: string,
): Promise<BaseBackup | undefined> {
  const { course } = attempt
  const backup = await course.must(
    'choose a base backup',
    async () => {
      const { backups } = await listBaseBackups(objects, clusterId)
      const named = backups.filter((one) => backupId === undefined || one.backupId === backupId)
      if (named.length > 0) return chooseBaseBackup(named, target)
      if (backupId === undefined) return undefined
      throw new BackstopError('BACKUP_MISSING', `there is no base backup ${backupId} of ${clusterId}`)
    },
    (found) => found?.backupId ?? 'there is none',
  )
  if (backup === undefined) {
    attempt.skip(`base backup of ${clusterId}`, 'there is none: take one with "backstop pitr basebackup"')
    return undefined
  }
  if (maxBytes !== undefined && backup.totalBytes > maxBytes) {
    attempt.skip(backup.backupId, `it has ${backup.totalBytes} bytes, more than the ${maxBytes} of a drill`)
    return undefined
  }
  await course.must(
    'look at the disk',
    () => assertRoom(files, folder, backup.totalBytes),
    (free) => `${free} bytes are free`,
  )
  attempt.facts['backup_id'] = backup.backupId
  attempt.sizeBytes = backup.totalBytes
  attempt.rpoSeconds = attempt.ageSeconds(await reachesUntilMs(objects, backup))
  return backup
}

async function assertRoom(files: LocalFiles, folder: string, sizeBytes: number): Promise<number> {
  const freeBytes = await files.freeBytes(await existingParent(files, folder))
  const neededBytes = Math.ceil(sizeBytes * DISK_FACTOR)
  if (freeBytes >= neededBytes) return freeBytes
  throw new BackstopError('LOCAL_FILE_FAILED', `${folder}: ${neededBytes} bytes are needed and ${freeBytes} are free`)
}

/** The folder itself may not be there yet. */
async function existingParent(files: LocalFiles, folder: string): Promise<string> {
  for (let path = folder; ; path = join(path, '..')) {
    const isThere = await files.freeBytes(path).then(
      () => true,
      () => false,
    )
    if (isThere || path === '/') return path
  }
}

/** The newest segment that is archived, or the end of the backup itself. */
async function reachesUntilMs(objects: ObjectStore, backup: BaseBackup): Promise<number> {
  const { files } = await listArchive(objects, backup.clusterId)
  return files.reduce((latest, { modifiedAtMs }) => Math.max(latest, modifiedAtMs), epochMsOf(backup.consistentAt))
}

async function prepareSimulated(
  ports: PrepareDrillPorts,
  request: PrepareDrillRequest,
  attempt: Attempt,
  folder: string,
): Promise<void> {
  const { course } = attempt
  const store = openScratchStore(ports.objects, attempt.drillId, ports)
  await course.take(
    'clear leftovers',
    () => clearOldScratch(ports),
    (count) => `${count} removed`,
  )
  try {
    await drillSimulated({ ...ports, store }, request, attempt, folder)
    attempt.isProven = true
  } finally {
    await course.take(
      'remove the simulated backup',
      () => store.removeAll(),
      (removed) => removed,
    )
  }
}

async function drillSimulated(
  ports: PrepareDrillPorts & { readonly store: ObjectStore },
  request: PrepareDrillRequest,
  attempt: Attempt,
  folder: string,
): Promise<void> {
  const { store, files } = ports
  const { course } = attempt
  const server = simulateServer(ports.random)
  const backup = await takeSimulated(ports, request, attempt, server)
  const order = { ...prepareOrder({ ...request, backupId: backup.backupId }, folder), target: request.target }
  await course.must(
    'prepare from a damaged backup',
    async () => {
      const damaged = withDamage(store, backup.content.key)
      await expectRefusal('BACKUP_CORRUPT', () => prepareRestore({ objects: damaged, files }, order))
      if (!(await files.look(folder)).isEmpty) mismatch('the refused backup left files in the folder')
    },
    () => 'refused, and the folder is empty again',
  )
  const watch = attempt.stopwatch()
  await prepareFolder(store, files, attempt, order)
  attempt.rtoSeconds = watch()
  await course.must(
    'compare every file',
    () => compareFiles(files, folder, server),
    (count) => `${count} files are what the server sent`,
  )
  await lookAtSettings(files, order, attempt)
  await course.must(
    'prepare over it',
    () => expectRefusal('TARGET_FOLDER_REFUSED', () => prepareRestore({ objects: store, files }, order)),
    () => 'refused: the folder is not empty',
  )
  course.checked.push('a damaged base backup is refused', 'a folder that is not empty is refused')
  attempt.skip(
    'a server start',
    'a simulated server cannot be started; "backstop drill pitr-restore" starts a real one',
  )
}

async function takeSimulated(
  ports: PrepareDrillPorts & { readonly store: ObjectStore },
  { clusterId }: PrepareDrillRequest,
  attempt: Attempt,
  server: SimulatedServer,
): Promise<BaseBackup> {
  const { store, clock, random, files } = ports
  const { course } = attempt
  await course.must(
    'archive WAL of a simulated server',
    () => {
      const source = { read: async () => server.segment.content }
      return archiveWal(store, source, { clusterId, path: server.segment.name, name: server.segment.name })
    },
    ({ name }) => name,
  )
  // Taken before every moment that somebody may name as the target.
  const longAgo = { nowMs: () => 0, monotonicMs: () => clock.monotonicMs() }
  const backup = await course.must(
    'take a base backup of it',
    () =>
      takeBaseBackup(
        { objects: store, tools: server.tools, clock: longAgo, random, files },
        { serverUrl: '', clusterId },
      ),
    (taken) => `${taken.files.length} files, each hashed and read back`,
  )
  attempt.facts['backup_id'] = backup.backupId
  attempt.sizeBytes = backup.totalBytes
  return backup
}

async function prepareFolder(
  objects: ObjectStore,
  files: LocalFiles,
  { course }: Attempt,
  order: PrepareOrder,
): Promise<PrepareReport> {
  const report = await course.must(
    'prepare the folder',
    () => prepareRestore({ objects, files }, order),
    ({ fileCount }) => `${fileCount} files, each compared with its SHA-256`,
  )
  course.checked.push(`${report.fileCount} files of ${report.backup.backupId}, each with its SHA-256`)
  return report
}

async function compareFiles(files: LocalFiles, folder: string, { files: sent, segment }: SimulatedServer) {
  const wanted = new Map([...sent, [`pg_wal/${segment.name}`, segment.content] as const])
  wanted.delete('postgresql.auto.conf')
  for (const [path, content] of wanted) {
    const found = await files.read(join(folder, path), CONTENT_BYTES)
    if (!isSameDigest(sha256Hex(found), sha256Hex(content))) mismatch(`${path} is not what the server sent`)
  }
  return wanted.size
}

/** As the server will read them: one recovery, this one. */
async function lookAtSettings(files: LocalFiles, order: PrepareOrder, { course, facts }: Attempt): Promise<void> {
  const { target, restoreCommand } = order
  await course.must(
    'look at the recovery settings',
    async () => {
      const text = Buffer.from(await files.read(join(order.folder, 'postgresql.auto.conf'), SETTINGS_BYTES)).toString()
      if ((await files.read(join(order.folder, 'recovery.signal'), 1)).length !== 0)
        mismatch('recovery.signal is not empty')
      const settings = readSettings(text)
      const targets = [...settings.keys()].filter((name) => /^recovery_target_(?:time|lsn|name|xid)$/.test(name))
      const wanted = target === undefined ? [] : [`recovery_target_${target.kind}`]
      if (settings.get('restore_command') !== restoreCommand) mismatch('restore_command is not the one that was given')
      if (targets.join() !== wanted.join()) mismatch(`the targets are ${targets.join() || 'none'}`)
      if (target !== undefined && settings.get(wanted[0] ?? '') !== target.text) mismatch('the target is another one')
      return settings
    },
    (settings) => `recovery.signal, and ${settings.size} settings`,
  )
  facts['recovery_signal'] = true
  facts['restore_command'] = restoreCommand
  facts['recovery_target_time'] = target?.kind === 'time' ? target.text : null
  facts['recovery_target_lsn'] = target?.kind === 'lsn' ? target.text : null
  facts['recovery_target_name'] = target?.kind === 'name' ? target.text : null
  course.checked.push('recovery.signal and the recovery settings')
}

/** `name = 'value'`, the last one of a name wins. */
function readSettings(text: string): ReadonlyMap<string, string> {
  const lines = [...text.matchAll(/^\s*(\w+)\s*=\s*'((?:[^'\\]|''|\\.)*)'/gm)]
  return new Map(lines.map(([, name = '', value = '']) => [name, value.replaceAll("''", "'").replaceAll('\\\\', '\\')]))
}
