/** `backstop drill logical-backup-restore`: a database is dumped, restored into another one, compared and dropped. */
import { runLogicalDrill } from '#lib/recovery/index.ts'
import { programFlag } from '../backup/index.ts'
import { defineCommand, requiredText } from '../frame/index.ts'
import { DRILL_FLAGS, withDrillTools } from './open.ts'
import { DRILL_JSON, showDrill } from './view.ts'

export const drillLogicalBackupRestore = defineCommand({
  path: 'drill logical-backup-restore',
  summary: 'Dump a database, restore it into a new one, compare every table, and drop it',
  details:
    'The source is read and never written. The restore goes into a database that is made for the drill on the server of ' +
    '--target-db, closed to everybody else; the database that --target-db names is not touched and need not be there. Dump and ' +
    'figures are of one snapshot, so that a database in use can be drilled. The role of the target needs CREATEDB.',
  flags: {
    sourceDb: requiredText('--source-db <url>', 'the database to dump: postgresql://user@host/name'),
    targetDb: requiredText('--target-db <url>', 'names the server that the drill makes its database on'),
    ...DRILL_FLAGS,
    pgDumpBin: programFlag('pg_dump'),
    pgRestoreBin: programFlag('pg_restore'),
  },
  json: `table, backup_id, row_count (of that table, the largest), row_count_total, tables, ${DRILL_JSON}`,
  examples: [
    {
      does: 'As the checklist has it',
      line: 'backstop drill logical-backup-restore --source-db postgresql://postgres@localhost:5432/mydb --target-db postgresql://postgres@localhost:5432/mydb_drill --storage s3://prod-snapshots --json',
    },
  ],
  async run({ flags }, context) {
    const { sourceDb, targetDb, pgDumpBin, pgRestoreBin } = flags
    const request = { sourceUrl: sourceDb, targetUrl: targetDb, signal: context.signal }
    const programs = { pg_dump: pgDumpBin, pg_restore: pgRestoreBin }
    const stored = await withDrillTools(flags, context, (tools) => runLogicalDrill(tools, request), { programs })
    const { facts, rowCount } = stored.evidence
    const table = facts['largest_table'] ?? null
    const ofTable = facts['largest_table_rows'] ?? null
    return showDrill(stored, { table, row_count: ofTable, row_count_total: rowCount })
  },
})
