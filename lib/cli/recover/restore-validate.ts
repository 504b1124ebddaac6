/** `backstop restore-validate`: is the restored table what the snapshot holds, all of it? */
import { displayRelation } from '#lib/kernel/index.ts'
import { defaultTarget, type RestoreValidation } from '#lib/recovery/index.ts'
import {
  type CommandResult,
  DATABASE_FLAG,
  defineCommand,
  METADATA_FLAG,
  readTable,
  requiredText,
  STORAGE_FLAG,
  text,
} from '../frame/index.ts'
import { findPoints, tableFilter } from '../snapshots/index.ts'
import type { Block, Cell } from '../terminal/index.ts'
import { pointById } from './choose.ts'
import { openTools } from './open-tools.ts'

export const restoreValidate = defineCommand({
  path: 'restore-validate',
  summary: 'Compare a restored table with its snapshot, and say what differs',
  details:
    'The whole content is compared, by a digest that the database computes; where it differs, the rows are compared one by ' +
    'one. Nothing is changed. Give the original as --target-table to prove it after the way back.',
  flags: {
    table: requiredText('--table <name>', 'the table that was captured'),
    snapshotId: requiredText('--snapshot-id <id>', 'which snapshot: snap_…'),
    targetTable: text('--target-table <name>', 'the restored table (default <table>_recovered)'),
    db: DATABASE_FLAG,
    storage: STORAGE_FLAG,
    metadataDb: METADATA_FLAG,
  },
  json:
    'snapshot_id, source_table, target_table, checks (target_exists, row_count, indexes, constraints, sample_equality), ' +
    'content_equality (method, compared_rows, equal), target_row_count, manifest_row_count, expected_indexes, actual_indexes, ' +
    'missing_indexes[], expected_constraints, actual_constraints, missing_constraints[], invalid_constraints[], ' +
    'missing_columns[], altered_columns[], sample_checked, sample_mismatches[], differences (missing_rows, differing_rows, unknown_rows; null when equal)',
  examples: [
    {
      does: 'After a restore',
      line: 'backstop restore-validate --table users --snapshot-id snap_7d1c… --db postgresql://… --storage file:///backups',
    },
    {
      does: 'After the way back, the original itself',
      line: 'backstop restore-validate --table users --snapshot-id snap_7d1c… --target-table users --db postgresql://… --storage file:///backups --json',
    },
  ],
  async run({ flags }, context) {
    const tools = await openTools(flags, context)
    try {
      const point = pointById(await findPoints(tools.recovery, tableFilter(flags.table)), flags.snapshotId, flags.table)
      const { relation, snapshotId } = point
      const target =
        flags.targetTable === undefined ? defaultTarget(relation) : readTable(flags.targetTable, relation.schema)
      return showValidation(await tools.recovery.validateRestore(snapshotId, target))
    } finally {
      await tools.close()
    }
  },
})

export function showValidation(validation: RestoreValidation): CommandResult {
  const { target, source, differences } = validation
  const checks = {
    target_exists: validation.isThere,
    row_count: validation.isThere && validation.actualRows === validation.expectedRows,
    indexes: validation.isThere && validation.missingIndexes.length === 0,
    constraints:
      validation.isThere && validation.missingConstraints.length === 0 && validation.invalidConstraints.length === 0,
    sample_equality: validation.isContentEqual,
  }
  const ok = Object.values(checks).every(Boolean)
  const data = {
    snapshot_id: validation.snapshotId,
    source_table: displayRelation(source),
    target_table: displayRelation(target),
    checks,
    content_equality: {
      method: 'digest of the whole content, computed in the database',
      compared_rows: validation.comparedRows,
      equal: validation.isContentEqual,
    },
    target_row_count: validation.actualRows,
    manifest_row_count: validation.expectedRows,
    expected_indexes: validation.expectedIndexes.length,
    actual_indexes: validation.actualIndexes.length,
    missing_indexes: validation.missingIndexes,
    expected_constraints: validation.expectedConstraints.length,
    actual_constraints: validation.actualConstraints.length,
    missing_constraints: validation.missingConstraints,
    invalid_constraints: validation.invalidConstraints,
    missing_columns: validation.missingColumns,
    altered_columns: validation.alteredColumns,
    sample_checked: validation.comparedRows,
    sample_mismatches: differences?.shown ?? [],
    differences:
      differences === undefined
        ? null
        : {
            missing_rows: differences.missingRows,
            differing_rows: differences.differingRows,
            unknown_rows: differences.extraRows,
          },
  }
  return { ok, data, blocks: blocksOf(validation, checks, ok) }
}

function blocksOf(validation: RestoreValidation, checks: Readonly<Record<string, boolean>>, ok: boolean): Block[] {
  const target = displayRelation(validation.target)
  const head: Block = ok
    ? {
        kind: 'text',
        text: `${target} is what ${validation.snapshotId} holds: ${validation.comparedRows} rows, all compared.`,
        tone: 'good',
      }
    : { kind: 'text', text: `${target} is not what ${validation.snapshotId} holds.`, tone: 'bad' }
  const cell = (isFine: boolean): Cell => (isFine ? { text: 'ok', tone: 'good' } : { text: 'failed', tone: 'bad' })
  const names: Readonly<Record<string, string>> = { sample_equality: 'whole content' }
  const rows = Object.entries(checks).map(([name, isFine]) => [names[name] ?? name.replaceAll('_', ' '), cell(isFine)])
  const items = problemsOf(validation)
  return [
    head,
    { kind: 'table', columns: [{ title: 'check' }, { title: 'result' }], rows, whenEmpty: '' },
    ...(items.length === 0 ? [] : [{ kind: 'list', items } as const]),
  ]
}

function problemsOf(validation: RestoreValidation): string[] {
  const { differences, actualRows, expectedRows } = validation
  const named = (what: string, names: readonly string[]) => (names.length === 0 ? [] : [`${what}: ${names.join(', ')}`])
  const rows =
    differences === undefined
      ? []
      : [
          `${differences.missingRows} rows are missing, ${differences.differingRows} differ, ${differences.extraRows} are unknown to the snapshot`,
          ...differences.shown.map(({ key, kind, columns }) => {
            const place = Object.entries(key).map(([name, value]) => `${name} ${value}`)
            return `${place.join(', ')}: ${kind}${columns.length === 0 ? '' : ` in ${columns.join(', ')}`}`
          }),
        ]
  return [
    ...(validation.isThere ? [] : ['the table does not exist']),
    ...(actualRows === expectedRows || !validation.isThere ? [] : [`${actualRows} rows instead of ${expectedRows}`]),
    ...rows,
    ...named('columns are missing', validation.missingColumns),
    ...named('columns have another type', validation.alteredColumns),
    ...named('indexes are missing', validation.missingIndexes),
    ...named('constraints are missing', validation.missingConstraints),
    ...named('constraints are not validated', validation.invalidConstraints),
  ]
}
