/** `backstop recover --type logical`: a whole database from a dump. */
import { tmpdir } from 'node:os'
import { systemClock } from '#lib/adapters/system/index.ts'
import { BackstopError, epochMsOf } from '#lib/kernel/index.ts'
import { type LogicalBackup, listLogicalBackups, proveContent, restoreLogicalBackup } from '#lib/recovery/index.ts'
import { openBackupTools } from '#lib/runtime/tools/index.ts'
import { backupData, backupTable, showBytes } from '../backup/index.ts'
import { type CommandContext, type CommandResult, existingStorage, getSetting } from '../frame/index.ts'
import { Cancelled, formatBytes, formatDuration } from '../terminal/index.ts'
import { readInstant } from './choose.ts'
import type { WholeFlags } from './whole-flags.ts'

const MOST_OFFERED = 10

/** Throws BACKUP_MISSING, Cancelled. */
async function choose(backups: readonly LogicalBackup[], flags: WholeFlags, context: CommandContext) {
  const named = backups.find(({ backupId }) => backupId === flags.backupId)
  const [newest] = backups
  const found = flags.backupId === undefined ? newest : named
  if (found === undefined) {
    throw new BackstopError('BACKUP_MISSING', `no valid logical backup${flags.backupId ? ` ${flags.backupId}` : ''}`)
  }
  if (flags.backupId !== undefined || flags.isUnattended || context.ask === undefined || backups.length === 1)
    return found
  const chosen = await context.ask.choose(
    'Which backup?',
    backups.slice(0, MOST_OFFERED).map((backup) => ({
      value: backup.backupId,
      label: `${backup.startedAt}  ${formatDuration(systemClock.nowMs() - epochMsOf(backup.startedAt))} old, ${backup.databaseName}`,
      hint: `${backup.backupId}, ${formatBytes(backup.content.sizeBytes)}`,
    })),
  )
  return backups.find(({ backupId }) => backupId === chosen) ?? found
}

/** All or nothing: one transaction that makes what the dump holds, and refuses what is there already. */
export async function recoverLogical(flags: WholeFlags, context: CommandContext): Promise<CommandResult> {
  const { environment, signal } = context
  const storageUrl = existingStorage(flags.storage, environment)
  const databaseUrl = getSetting(flags.db, '--db', 'BACKSTOP_DB_URL', environment)
  const ports = await openBackupTools(storageUrl, 'read', { environment })
  const { backups } = await listLogicalBackups(ports.objects)
  const atMs = flags.at === undefined ? Number.POSITIVE_INFINITY : readInstant(flags.at)
  const early = backups.filter(({ startedAt }) => epochMsOf(startedAt) <= atMs)
  const backup = await choose(early, flags, context)
  const preview = backupTable([backup], systemClock.nowMs())
  const head = { kind: 'title', text: 'What will happen: this is restored into the database of --db' } as const
  if (!context.isJson) await context.show({}, [head, preview])
  const onBytes = showBytes(context, 'read')
  const data = { type: 'logical', dry_run: flags.dryRun, backup: backupData(backup) }
  if (flags.dryRun) {
    await proveContent(ports.objects, backup.content, onBytes)
    return {
      ok: true,
      data,
      blocks: [{ kind: 'text', text: 'Dry run: the backup is whole; nothing was changed.', tone: 'good' }],
    }
  }
  if (!flags.isUnattended && (await context.ask?.confirm('Restore now?')) !== true) throw new Cancelled()
  const order = { databaseUrl, backupId: backup.backupId, isClean: false, isOwnerless: false, jobs: 1 }
  await restoreLogicalBackup(ports, { ...order, temporaryFolder: tmpdir(), signal, onBytes })
  const text = `${backup.backupId} of ${backup.databaseName} is restored: ${backup.tableCount} tables with rows.`
  return { ok: true, data, blocks: [{ kind: 'text', text, tone: 'good' }] }
}
