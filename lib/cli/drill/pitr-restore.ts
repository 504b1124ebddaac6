/** `backstop drill pitr-restore`: a whole server is recovered, started, asked and thrown away. */
import { readTarget, runRestoreDrill } from '#lib/recovery/index.ts'
import { restoreCommandLine } from '#lib/runtime/tools/index.ts'
import { defineCommand, text } from '../frame/index.ts'
import { CLUSTER_FLAG } from '../wal/index.ts'
import { DRILL_FLAGS, withDrillTools } from './open.ts'
import { DRILL_JSON, showDrill } from './view.ts'

export const drillPitrRestore = defineCommand({
  path: 'drill pitr-restore',
  summary: 'Recover a whole server into scratch, start it, read every table, and remove it',
  details:
    'A base backup and the archived WAL, with the restore_command that a recovery would use. The server listens on a socket in a ' +
    'private folder alone, archives nothing, replicates nothing, and ends with this command, also when it is killed. It never runs ' +
    'as root: started by root it runs as another user, who has to be able to read the storage. Needs the programs of the same ' +
    'major version and room for the whole server among the temporary files (TMPDIR).',
  flags: {
    ...DRILL_FLAGS,
    clusterId: CLUSTER_FLAG,
    backupId: text('--backup-id <id>', 'this base backup (default: the newest that the target can be reached from)'),
    targetTime: text('--target-time <time>', 'recover up to this moment: "2026-11-21 03:00:00+00" (default: the end)'),
    targetLsn: text('--target-lsn <lsn>', 'recover up to this position of the WAL: 16/B374D848'),
    targetName: text('--target-name <name>', 'recover up to this restore point'),
    checkSql: text('--check-sql <query>', 'a query whose first value has to be true'),
    checkDatabase: text('--check-database <name>', 'where it is asked (default postgres)'),
    dbUser: text('--db-user <name>', 'a superuser of the server that was backed up (default postgres)'),
    pgBin: text('--pg-bin <folder>', 'where postgres is (default: the installed one of the right version)'),
  },
  json: `target_dir, backup_id, restore_command, recovery_target_time, replayed_lsn, last_transaction_at, databases, tables, row_count, ${DRILL_JSON}`,
  examples: [
    {
      does: 'Every month: can the server be brought back, and how long does it take',
      line: 'backstop drill pitr-restore --storage file:///backups --cluster-id prod',
    },
    {
      does: 'With a question that the recovered server has to answer',
      line: 'backstop drill pitr-restore --storage file:///backups --cluster-id prod --check-database shop --check-sql "SELECT count(*) > 0 FROM orders"',
    },
  ],
  async run({ flags }, context) {
    const { clusterId, backupId, checkSql, checkDatabase, dbUser, pgBin } = flags
    const target = readTarget({ time: flags.targetTime, lsn: flags.targetLsn, name: flags.targetName })
    const stored = await withDrillTools(
      flags,
      context,
      (tools, storageUrl) =>
        runRestoreDrill(tools, {
          clusterId,
          backupId,
          target,
          user: dbUser ?? 'postgres',
          checkSql,
          checkDatabase,
          restoreCommand: restoreCommandLine(storageUrl, clusterId),
          signal: context.signal,
        }),
      { serverFolder: pgBin },
    )
    return showDrill(stored)
  },
})
