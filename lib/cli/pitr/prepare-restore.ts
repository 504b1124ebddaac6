/** `backstop pitr prepare-restore`: a data folder that a server recovers from when it is started on it. */
import { resolve } from 'node:path'
import { BackstopError } from '#lib/kernel/index.ts'
import {
  type PrepareReport,
  prepareRestore,
  type RecoveryTarget,
  readTablespaceMapping,
  readTarget,
} from '#lib/recovery/index.ts'
import { openBackupTools, restoreCommandLine } from '#lib/runtime/tools/index.ts'
import { showBytes } from '../backup/index.ts'
import {
  type CommandResult,
  choice,
  defineCommand,
  existingStorage,
  repeated,
  requiredText,
  STORAGE_FLAG,
  text,
  toggle,
} from '../frame/index.ts'
import type { Block } from '../terminal/index.ts'
import { CLUSTER_FLAG } from '../wal/index.ts'
import { baseBackupData } from './view.ts'

export const TARGET_FLAGS = {
  targetTime: text('--target-time <time>', 'recover up to this moment: "2026-11-21 03:00:00+00", with its time zone'),
  targetLsn: text('--target-lsn <lsn>', 'recover up to this position of the WAL: 16/B374D848'),
  targetName: text('--target-name <name>', 'recover up to this restore point of pg_create_restore_point()'),
  targetAction: choice(
    '--target-action <action>',
    'at the target: stay read-only to be looked at, accept writes, or stop',
    ['pause', 'promote', 'shutdown'] as const,
    'pause',
  ),
}

export const pitrPrepareRestore = defineCommand({
  path: 'pitr prepare-restore',
  summary: 'Prepare a data folder that recovers to a point in time',
  details:
    'Extracts a base backup, compares every file with its SHA-256, and writes recovery.signal and the settings; starting a ' +
    'server on the folder is the recovery. The folder is private (0700) and gets the owner of the folder above it where this ' +
    'process may give files away. Tablespaces go to folders of their own, and the server is told where they are; never to where ' +
    'they were unless mapped there. Nothing is started here.',
  flags: {
    storage: STORAGE_FLAG,
    clusterId: CLUSTER_FLAG,
    targetDir: requiredText('--target-dir <folder>', 'the data folder to make: empty, or not there yet'),
    backupId: text('--backup-id <id>', 'this base backup (default: the newest that the target can be reached from)'),
    tablespaceMapping: repeated(
      '--tablespace-mapping <old=new>',
      'put the tablespace that was at OLD into the folder NEW (default: <target-dir>.tablespaces/<oid>)',
    ),
    ...TARGET_FLAGS,
    targetTimeline: text('--target-timeline <timeline>', 'latest, current or a number (default latest)'),
    archiveMode: choice(
      '--archive-mode <mode>',
      'off: the server that comes up does not archive, for a drill or a copy',
      ['preserve', 'off'] as const,
      'preserve',
    ),
    force: toggle(
      '--force',
      'replace what is in the folders, once the whole backup is proven; never under a running server',
    ),
    walCommand: text('--wal-command <command>', 'how the server calls backstop, for a shell (default: this program)'),
  },
  json: 'target_dir, backup_id, backup, recovery_signal, restore_command, recovery_target_time, recovery_target_lsn, recovery_target_name, target_action, files, tablespaces[] (oid, location, folder), notes[]',
  examples: [
    {
      does: 'One minute before the accident',
      line: 'backstop pitr prepare-restore --storage file:///backups --cluster-id prod --target-dir /var/lib/postgresql/restored --target-time "2026-11-21 02:59:00+00"',
    },
    {
      does: 'Everything that is archived, as a copy that never archives',
      line: 'backstop pitr prepare-restore --storage file:///backups --cluster-id prod --target-dir /scratch/pg --archive-mode off',
    },
  ],
  async run({ flags }, context) {
    const tablespaceMappings = flags.tablespaceMapping.map(readTablespaceMapping)
    const target = readTarget({ time: flags.targetTime, lsn: flags.targetLsn, name: flags.targetName })
    const storageUrl = existingStorage(flags.storage, context.environment)
    const ports = await openBackupTools(storageUrl, 'read', { environment: context.environment })
    const order = {
      clusterId: flags.clusterId,
      backupId: flags.backupId,
      folder: resolve(flags.targetDir),
      tablespaceMappings,
      target,
      targetAction: flags.targetAction,
      targetTimeline: readTimeline(flags.targetTimeline),
      isArchiving: flags.archiveMode === 'preserve',
      isReplacing: flags.force,
      restoreCommand: restoreCommandLine(storageUrl, flags.clusterId, flags.walCommand),
      onBytes: showBytes(context, 'read'),
    }
    return showPrepared(await prepareRestore(ports, order), order)
  },
})

function readTimeline(written = 'latest'): string {
  if (/^(?:latest|current|[1-9]\d{0,9})$/.test(written)) return written
  throw new BackstopError('USAGE_INVALID', '--target-timeline must be latest, current or a number')
}

interface Prepared {
  readonly folder: string
  readonly target: RecoveryTarget | undefined
  readonly targetAction: string
  readonly restoreCommand: string
}

export function showPrepared(report: PrepareReport, order: Prepared): CommandResult {
  const { backup, fileCount, tablespaces, notes } = report
  const { folder, target, targetAction, restoreCommand } = order
  const textOf = (kind: RecoveryTarget['kind']) => (target?.kind === kind ? target.text : null)
  const data = {
    target_dir: folder,
    backup_id: backup.backupId,
    backup: baseBackupData(backup),
    recovery_signal: true,
    restore_command: restoreCommand,
    recovery_target_time: textOf('time'),
    recovery_target_lsn: textOf('lsn'),
    recovery_target_name: textOf('name'),
    target_action: target === undefined ? null : targetAction,
    files: fileCount,
    tablespaces: tablespaces.map(({ tablespace: { oid, location }, folder: place }) => ({
      oid,
      location,
      folder: place,
    })),
    notes,
  }
  const where = target === undefined ? 'the end of the archive' : `${target.kind} ${target.text}, then ${targetAction}`
  const blocks: Block[] = [
    { kind: 'text', text: `${fileCount} files of ${backup.backupId} are in ${folder}, each one proven.`, tone: 'good' },
    {
      kind: 'pairs',
      pairs: [
        ['recovers to', where],
        ['restore_command', restoreCommand],
        ...tablespaces.map((one) => [`tablespace ${one.tablespace.oid}`, one.folder] as const),
      ],
    },
    ...(notes.length > 0 ? ([{ kind: 'list', items: notes }] as const) : []),
    { kind: 'title', text: `Start a server of PostgreSQL ${backup.serverVersion} on it` },
    { kind: 'code', text: `pg_ctl -D '${folder.replaceAll("'", "'\\''")}' start` },
    ...(target !== undefined && targetAction === 'pause'
      ? ([
          { kind: 'title', text: 'Once it shows what you want' },
          { kind: 'code', text: 'SELECT pg_wal_replay_resume();' },
        ] as const)
      : []),
  ]
  return { ok: true, data, blocks }
}
