/** `backstop backup logical-restore`: a dump that was proven, with pg_restore. */
import { tmpdir } from 'node:os'
import { restoreLogicalBackup } from '#lib/recovery/index.ts'
import { openBackupTools } from '#lib/runtime/tools/index.ts'
import {
  DATABASE_FLAG,
  defineCommand,
  existingStorage,
  getSetting,
  integer,
  requiredText,
  STORAGE_FLAG,
  text,
  toggle,
} from '../frame/index.ts'
import { programFlag, showBytes } from './flags.ts'
import { backupData } from './view.ts'

export const backupLogicalRestore = defineCommand({
  path: 'backup logical-restore',
  summary: 'Restore a logical backup into a database',
  details:
    'The whole dump is compared with its SHA-256 before the database is touched. With one job it is streamed and restored ' +
    'in one transaction: all or nothing. More jobs need to seek in the dump, so it is first copied to a private temporary ' +
    'file (as large as the dump, removed at the end), and a restore that fails leaves the database half filled.',
  flags: {
    db: DATABASE_FLAG,
    storage: STORAGE_FLAG,
    backupId: requiredText('--backup-id <id>', 'which one, as "backstop backup logical-list" shows it'),
    clean: toggle('--clean', 'drop what the dump holds before it is made anew'),
    skipOwners: toggle('--skip-owners', 'leave owners and grants out: their roles are not there'),
    jobs: integer('--jobs <number>', 'load tables and build indexes side by side (default 1)', 1, 64),
    temporaryFolder: text('--temporary-folder <path>', 'where the copy for several jobs goes (default TMPDIR)'),
    pgRestoreBin: programFlag('pg_restore'),
  },
  json: 'backup (as in logical-create), jobs, clean, single_transaction',
  examples: [
    {
      does: 'Into a new database',
      line: 'backstop backup logical-restore --db postgresql://…/shop_restored --storage file:///backups --backup-id dump_7d1c…',
    },
    {
      does: 'Over what is there, with four jobs',
      line: 'backstop backup logical-restore --db postgresql://… --storage file:///backups --backup-id dump_7d1c… --clean --jobs 4',
    },
  ],
  async run({ flags }, context) {
    const databaseUrl = getSetting(flags.db, '--db', 'BACKSTOP_DB_URL', context.environment)
    const storageUrl = existingStorage(flags.storage, context.environment)
    const programs = { pg_restore: flags.pgRestoreBin }
    const ports = await openBackupTools(storageUrl, 'read', { environment: context.environment, programs })
    const jobs = flags.jobs ?? 1
    const backup = await restoreLogicalBackup(ports, {
      databaseUrl,
      backupId: flags.backupId,
      isClean: flags.clean,
      isOwnerless: flags.skipOwners,
      jobs,
      temporaryFolder: flags.temporaryFolder ?? tmpdir(),
      signal: context.signal,
      onBytes: showBytes(context, 'read'),
    })
    const data = { backup: backupData(backup), jobs, clean: flags.clean, single_transaction: jobs === 1 }
    const text = `${backup.backupId} of ${backup.databaseName} is restored: ${backup.tableCount} tables with rows, ${backup.entryCount} entries.`
    return { ok: true, data, blocks: [{ kind: 'text', text, tone: 'good' }] }
  },
})
