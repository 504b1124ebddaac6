/** `backstop backup logical-create`: one database with pg_dump, straight into the storage. */
import { createLogicalBackup } from '#lib/recovery/index.ts'
import { openBackupTools } from '#lib/runtime/tools/index.ts'
import { DATABASE_FLAG, defineCommand, getSetting, STORAGE_FLAG, text } from '../frame/index.ts'
import { patterns, programFlag, showBytes } from './flags.ts'
import { backupData, backupTable } from './view.ts'

export const backupLogicalCreate = defineCommand({
  path: 'backup logical-create',
  summary: 'Back up one database with pg_dump, read back before it counts',
  details:
    "pg_dump's custom format is streamed into the storage; no copy is made on this machine. The dump is read back, " +
    'compared by SHA-256 and listed by pg_restore; the manifest is written last. A dump that fails leaves nothing.',
  flags: {
    db: DATABASE_FLAG,
    storage: STORAGE_FLAG,
    backupId: text('--backup-id <id>', 'name it (default dump_ and 32 digits)'),
    excludeTable: patterns('--exclude-table <patterns>', 'leave these tables out: patterns of pg_dump, by commas'),
    pgDumpBin: programFlag('pg_dump'),
    pgRestoreBin: programFlag('pg_restore'),
  },
  json: 'backup (backup_id, database, key, size_bytes, sha256, entries, tables, …)',
  examples: [
    {
      does: 'Before a release',
      line: 'backstop backup logical-create --db postgresql://backup@localhost/shop --storage file:///backups',
    },
    {
      does: 'Without what can be made again',
      line: 'backstop backup logical-create --db postgresql://… --storage file:///backups --exclude-table "cache.*,logs"',
    },
  ],
  async run({ flags }, context) {
    const databaseUrl = getSetting(flags.db, '--db', 'BACKSTOP_DB_URL', context.environment)
    const storageUrl = getSetting(flags.storage, '--storage', 'BACKSTOP_STORAGE_URL', context.environment)
    const programs = { pg_dump: flags.pgDumpBin, pg_restore: flags.pgRestoreBin }
    const ports = await openBackupTools(storageUrl, 'write', { environment: context.environment, programs })
    const backup = await createLogicalBackup(ports, {
      databaseUrl,
      backupId: flags.backupId,
      excludeTables: flags.excludeTable,
      signal: context.signal,
      onBytes: showBytes(context, 'dumped'),
    })
    return { ok: true, data: { backup: backupData(backup) }, blocks: [backupTable([backup], ports.clock.nowMs())] }
  },
})
