/** `backstop restore-copyback-plan`: the way back from a restored table, for the state that the database is in now. */
import { BackstopError, displayRelation, type RelationName } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { defaultTarget, type Recovery } from '#lib/recovery/index.ts'
import {
  choice,
  DATABASE_FLAG,
  defineCommand,
  METADATA_FLAG,
  readTable,
  requiredText,
  STORAGE_FLAG,
  text,
} from '../frame/index.ts'
import { findPoints, tableFilter } from '../snapshots/index.ts'
import { oneTable, pointById, validPoints } from './choose.ts'
import { copybackBlocks, copybackData, copybackText } from './copyback-view.ts'
import { openTools } from './open-tools.ts'
import { writeSql } from './restore-table.ts'

export const restoreCopybackPlan = defineCommand({
  path: 'restore-copyback-plan',
  summary: 'Plan how restored rows get back to their table',
  details:
    'Reads both tables and says what is missing, what differs and what is newer, then prints the SQL: one transaction, to be ' +
    'read and run by you. Nothing is changed. Without --snapshot-id, the newest valid snapshot that the restored table is equal to.',
  flags: {
    sourceTable: requiredText('--source-table <name>', 'the table that rows are to come back to'),
    targetTable: text('--target-table <name>', 'the restored table (default <table>_recovered)'),
    conflictPolicy: choice(
      '--conflict-policy <policy>',
      'rows that are in both and differ: set them back, leave them, or refuse',
      ['skip', 'overwrite', 'fail'] as const,
      'overwrite',
    ),
    snapshotId: text('--snapshot-id <id>', 'the snapshot that was restored'),
    copybackFile: text('--copyback-file <path>', 'write the SQL to this file too'),
    db: DATABASE_FLAG,
    storage: STORAGE_FLAG,
    metadataDb: METADATA_FLAG,
  },
  json: 'source_table, target_table, snapshot_id, conflict_policy, copyback (kind, statements[], aside[], notes[])',
  examples: [
    {
      does: 'After a bad UPDATE',
      line: 'backstop restore-copyback-plan --source-table users --target-table users_recovered --conflict-policy overwrite --db postgresql://… --storage file:///backups',
    },
  ],
  async run({ flags }, context) {
    const { sourceTable, conflictPolicy, copybackFile } = flags
    const tools = await openTools(flags, context)
    try {
      const found = await findPoints(tools.recovery, tableFilter(sourceTable))
      const valid = validPoints(found, sourceTable)
      const relation = oneTable(valid) ?? readTable(sourceTable)
      const target =
        flags.targetTable === undefined ? defaultTarget(relation) : readTable(flags.targetTable, relation.schema)
      const { snapshotId } =
        flags.snapshotId === undefined
          ? await pointOf(tools.recovery, valid, target)
          : pointById(found, flags.snapshotId, sourceTable)
      if (copybackFile !== undefined) await writeSql(copybackFile, '')
      const plan = await tools.recovery.planCopyback(snapshotId, target, conflictPolicy)
      if (copybackFile !== undefined) await writeSql(copybackFile, copybackText(plan))
      const data = {
        source_table: displayRelation(relation),
        target_table: displayRelation(target),
        snapshot_id: snapshotId,
        conflict_policy: conflictPolicy,
        copyback: copybackData(plan),
      }
      return { ok: true, data, blocks: copybackBlocks(plan) }
    } finally {
      await tools.close()
    }
  },
})

/** The snapshot that the restored table was made from shows in its content. Throws USAGE_INVALID. */
async function pointOf(
  recovery: Recovery,
  valid: readonly RecoveryPoint[],
  target: RelationName,
): Promise<RecoveryPoint> {
  for (const point of valid) {
    const { isThere, isContentEqual } = await recovery.validateRestore(point.snapshotId, target, true)
    if (!isThere) throw new BackstopError('TABLE_MISSING', `there is no restored table ${displayRelation(target)}`)
    if (isContentEqual) return point
  }
  throw new BackstopError(
    'USAGE_INVALID',
    `${displayRelation(target)} is not equal to any valid snapshot: give --snapshot-id if it was changed since`,
  )
}
