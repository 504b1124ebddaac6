/** Restores one snapshot with progress, plans the way back, and shows both. */
import { writeFile } from 'node:fs/promises'
import { BackstopError, displayRelation, quoteRelation, type RelationName, type SnapshotId } from '#lib/kernel/index.ts'
import type { ConflictPolicy, CopybackPlan, Recovery, RestoreProgress, RestoreReport } from '#lib/recovery/index.ts'
import type { CommandContext, CommandResult } from '../frame/index.ts'
import type { Block } from '../terminal/index.ts'
import { formatBytes } from '../terminal/index.ts'
import { copybackBlocks, copybackData, copybackText } from './copyback-view.ts'

export interface RestoreOrder {
  readonly snapshotId: SnapshotId
  readonly target: RelationName
  readonly conflictPolicy: ConflictPolicy
  readonly isDryRun: boolean
  readonly copybackFile: string | undefined
}

const UNITS: Readonly<Record<RestoreProgress['phase'], string>> = {
  verify: 'bytes',
  load: 'rows',
  compare: 'tables',
  rebuild: 'parts',
}

/** Throws what `Recovery.restore` throws, USAGE_INVALID. */
export async function restoreTable(
  recovery: Recovery,
  order: RestoreOrder,
  context: CommandContext,
): Promise<{ readonly report: RestoreReport; readonly copyback?: CopybackPlan }> {
  const { copybackFile, ...what } = order
  if (copybackFile !== undefined) await writeSql(copybackFile, '')
  const report = await recovery.restore({
    ...what,
    signal: context.signal,
    onProgress: ({ phase, done, total }) => context.progress.update({ label: phase, done, total, unit: UNITS[phase] }),
  })
  context.progress.clear()
  if (order.isDryRun) return { report }
  const copyback = await recovery.planCopyback(order.snapshotId, order.target)
  if (copybackFile !== undefined) await writeSql(copybackFile, copybackText(copyback))
  return { report, copyback }
}

/** Tried before anything is restored: the SQL must not get lost at the end. Throws USAGE_INVALID. */
export async function writeSql(path: string, sql: string): Promise<void> {
  try {
    await writeFile(path, sql, { mode: 0o600 })
  } catch (error) {
    throw new BackstopError('USAGE_INVALID', `--copyback-file ${path} cannot be written`, { cause: error })
  }
}

function reportData(report: RestoreReport): object {
  return {
    snapshot_id: report.snapshotId,
    source: displayRelation(report.source),
    target: displayRelation(report.target),
    dry_run: report.isDryRun,
    row_count: report.rowCount,
    size_bytes: report.sizeBytes,
    inserted_rows: report.insertedRows,
    updated_rows: report.updatedRows,
    checked: report.checked,
    rebuilt: report.rebuilt,
    not_rebuilt: report.notRebuilt,
  }
}

/** Into a table that may have been there before, only what was loaded is compared, and that is said. */
function headOf(report: RestoreReport, conflictPolicy: ConflictPolicy): string {
  const target = displayRelation(report.target)
  if (report.isDryRun) return `Dry run: ${report.rowCount} rows would be restored into ${target}; nothing was changed.`
  if (conflictPolicy === 'fail') return `${report.rowCount} rows are in ${target}, compared with the snapshot.`
  const done = `${report.insertedRows} rows added and ${report.updatedRows} set back in ${target}`
  return `${done}. What was loaded was compared with the snapshot; other rows of ${target} were not.`
}

function nextSteps({ snapshotId, source }: RestoreReport, { statements }: CopybackPlan): readonly Block[] {
  const table = quoteWord(displayRelation(source), quoteRelation(source))
  const run = statements.length === 0 ? [] : ['read the SQL of the way back, then run it: it is one transaction']
  const items = [
    ...run,
    `prove the original: backstop restore-validate --table ${table} --target-table ${table} --snapshot-id ${snapshotId}`,
    `take a new recovery point: backstop snapshot --table ${table}`,
  ]
  return [
    { kind: 'title', text: 'Next steps' },
    { kind: 'list', items },
  ]
}

/** As a shell takes it: plain where it can be. */
function quoteWord(plain: string, quoted: string): string {
  return /^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$/.test(plain) ? plain : `'${quoted.replaceAll("'", `'\\''`)}'`
}

/** What was done, what was proven, and the SQL for the way back. */
export function showRestore(
  report: RestoreReport,
  conflictPolicy: ConflictPolicy,
  copyback?: CopybackPlan,
): CommandResult {
  const head: Block = { kind: 'text', text: headOf(report, conflictPolicy), tone: 'good' }
  const blocks: Block[] = [
    head,
    {
      kind: 'pairs',
      pairs: [
        ['snapshot', report.snapshotId],
        ['of', displayRelation(report.source)],
        ['size', `${formatBytes(report.sizeBytes)}, parts: ${report.partCount}`],
        ['inserted', String(report.insertedRows)],
        ['updated', String(report.updatedRows)],
        ['checked', report.checked.join(', ')],
        [report.isDryRun ? 'would rebuild' : 'rebuilt', report.rebuilt.join(', ') || 'nothing'],
      ],
    },
  ]
  if (report.notRebuilt.length > 0) {
    const items = report.notRebuilt.map(({ subject, reason }) => `${subject}: ${reason}`)
    blocks.push({ kind: 'title', text: 'Not rebuilt on the recovered table' }, { kind: 'list', items })
  }
  if (copyback !== undefined) blocks.push(...copybackBlocks(copyback), ...nextSteps(report, copyback))
  return {
    ok: true,
    data: {
      ...reportData(report),
      conflict_policy: conflictPolicy,
      copyback: copyback === undefined ? null : copybackData(copyback),
    },
    blocks,
  }
}
