/** `backstop recover --type pitr`: a whole server at a point in time, as a data folder to start. */
import { resolve } from 'node:path'
import { systemClock } from '#lib/adapters/system/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import { chooseBaseBackup, listBaseBackups, prepareRestore, proveBackup, readTarget } from '#lib/recovery/index.ts'
import { openBackupTools, restoreCommandLine } from '#lib/runtime/tools/index.ts'
import { showBytes } from '../backup/index.ts'
import { type CommandContext, type CommandResult, existingStorage, findSetting, getSetting } from '../frame/index.ts'
import { baseBackupData, baseBackupTable, showPrepared } from '../pitr/index.ts'
import { type Asker, Cancelled } from '../terminal/index.ts'
import type { WholeFlags } from './whole-flags.ts'

function targetFolder(given: string | undefined): string {
  if (given !== undefined && given !== '') return given
  throw new BackstopError('USAGE_INVALID', 'give --target-dir, or --dry-run to look only')
}

async function clusterOf(flags: WholeFlags, { environment, ask }: CommandContext): Promise<string> {
  const given = findSetting(flags.clusterId, 'BACKSTOP_CLUSTER_ID', environment)
  if (given !== undefined || ask === undefined || flags.isUnattended) {
    return getSetting(given, '--cluster-id', 'BACKSTOP_CLUSTER_ID', environment)
  }
  return await ask.write('Which server? The --cluster-id of its backups', '', (answer) =>
    answer === '' ? 'a name is needed' : undefined,
  )
}

const LATEST = 'the end of the archive'

async function askTime(ask: Asker): Promise<string | undefined> {
  const answer = await ask.write('To which time? Such as 2026-11-21 02:59:00+00', LATEST, () => undefined)
  return answer === LATEST ? undefined : answer
}

/** Prepares and starts nothing: the server that runs now is never touched. */
export async function recoverPitr(flags: WholeFlags, context: CommandContext): Promise<CommandResult> {
  const { environment } = context
  const storageUrl = existingStorage(flags.storage, environment)
  const ask = flags.isUnattended ? undefined : context.ask
  const clusterId = await clusterOf(flags, context)
  const isSaid = flags.targetTime !== undefined || flags.targetLsn !== undefined || flags.targetName !== undefined
  const time = isSaid || ask === undefined ? flags.targetTime : await askTime(ask)
  const target = readTarget({ time, lsn: flags.targetLsn, name: flags.targetName })
  const ports = await openBackupTools(storageUrl, 'read', { environment })
  const { backups } = await listBaseBackups(ports.objects, clusterId)
  const named = backups.filter(({ backupId }) => flags.backupId === undefined || backupId === flags.backupId)
  const backup = chooseBaseBackup(named, target)
  const head = { kind: 'title', text: 'What will happen: a server is prepared from this base backup' } as const
  if (!context.isJson) await context.show({}, [head, baseBackupTable([backup], systemClock.nowMs())])
  const onBytes = showBytes(context, 'read')
  if (flags.dryRun) {
    await proveBackup(ports.objects, backup, onBytes)
    const data = { type: 'pitr', dry_run: true, backup: baseBackupData(backup) }
    return {
      ok: true,
      data,
      blocks: [{ kind: 'text', text: 'Dry run: the base backup is whole; nothing was written.', tone: 'good' }],
    }
  }
  const given =
    flags.targetDir ??
    (await ask?.write('Into which new folder?', '', (answer) => (answer === '' ? 'a folder is needed' : undefined)))
  const folder = resolve(targetFolder(given))
  if (!flags.isUnattended && (await context.ask?.confirm(`Prepare ${folder} now?`)) !== true) throw new Cancelled()
  const order = {
    clusterId,
    backupId: backup.backupId,
    folder,
    target,
    targetAction: flags.targetAction,
    targetTimeline: 'latest',
    isArchiving: true,
    isReplacing: false,
    restoreCommand: restoreCommandLine(storageUrl, clusterId),
    onBytes,
  }
  return showPrepared(await prepareRestore(ports, order), order)
}
