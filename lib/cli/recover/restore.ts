/** `backstop restore`: one named snapshot into a table, without questions. */
import { displayRelation } from '#lib/kernel/index.ts'
import { defineCommand, requiredText } from '../frame/index.ts'
import { findPoints, tableFilter } from '../snapshots/index.ts'
import { pointById } from './choose.ts'
import { openTools, RESTORE_FLAGS, RESTORE_JSON, targetOf } from './open-tools.ts'
import { restoreTable, showRestore } from './restore-table.ts'

export const restore = defineCommand({
  path: 'restore',
  summary: 'Restore one snapshot into a recovered table',
  details: 'Checksums are proven before the database is touched; the content is compared before anything is kept.',
  flags: {
    table: requiredText('--table <name>', 'the table that was captured'),
    snapshotId: requiredText('--snapshot-id <id>', 'which snapshot: snap_…'),
    ...RESTORE_FLAGS,
  },
  json: RESTORE_JSON,
  examples: [
    {
      does: 'Look before',
      line: 'backstop restore --table users --snapshot-id snap_7d1c… --db postgresql://… --storage file:///backups --dry-run',
    },
  ],
  async run({ flags }, context) {
    const tools = await openTools(flags, context)
    try {
      const point = pointById(await findPoints(tools.recovery, tableFilter(flags.table)), flags.snapshotId, flags.table)
      const order = {
        snapshotId: point.snapshotId,
        target: targetOf(point.relation, flags.targetTable),
        conflictPolicy: flags.conflictPolicy,
        isDryRun: flags.dryRun,
        copybackFile: flags.copybackFile,
      }
      context.progress.update({ label: `reading ${displayRelation(point.relation)}`, done: 0, total: 0, unit: 'rows' })
      const { report, copyback } = await restoreTable(tools.recovery, order, context)
      return showRestore(report, order.conflictPolicy, copyback)
    } finally {
      await tools.close()
    }
  },
})
