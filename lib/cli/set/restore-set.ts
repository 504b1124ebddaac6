/** Restores a set as it was ordered, and shows what came of it with the way back. */
import { writeFile } from 'node:fs/promises'
import { BackstopError, displayRelation, type SetId } from '#lib/kernel/index.ts'
import type { Recovery, RestoreProgress, SetCopybackPlan, SetPlace, SetRestoreReport } from '#lib/recovery/index.ts'
import type { CommandContext, CommandResult } from '../frame/index.ts'
import { text } from '../frame/index.ts'
import type { Block } from '../terminal/index.ts'
import { formatBytes } from '../terminal/index.ts'

export const SET_PLACE_FLAGS = {
  schema: text('--schema <name>', 'restore into this schema, under the own names; made when it is not there'),
  suffix: text('--suffix <text>', 'at the end of each name (default _recovered, or nothing with --schema)'),
}

export const SET_RESTORE_JSON =
  'set_id, timestamp, lsn, dry_run, created_schema, members[] (source, target, row_count, rebuilt[], not_rebuilt[], checked[]), ' +
  'keys[], copyback (kind, statements[], members[], notes[]; null in a dry run)'

const UNITS: Readonly<Record<RestoreProgress['phase'], string>> = {
  verify: 'bytes',
  load: 'rows',
  compare: 'tables',
  rebuild: 'parts',
}
const NOTHING_TO_DO = 'Nothing to do: the tables hold every row.'

export function placeOf({ schema, suffix }: { schema: string | undefined; suffix: string | undefined }): SetPlace {
  return { ...(schema === undefined ? {} : { schema }), ...(suffix === undefined ? {} : { suffix }) }
}

/** Throws USAGE_INVALID. */
export function readSetId(written: string): SetId {
  if (/^set_[0-9a-f]{32}$/.test(written)) return written as SetId
  throw new BackstopError('USAGE_INVALID', 'a set is named set_ and 32 hexadecimal digits')
}

export interface SetRestoreOrder {
  readonly setId: SetId
  readonly place: SetPlace
  readonly conflictPolicy: 'overwrite' | 'skip' | 'fail'
  readonly copybackFile: string | undefined
  readonly dryRun: boolean
}

/** Throws what a restore of a set throws; USAGE_INVALID for a file that cannot be written. */
export async function restoreSet(
  recovery: Recovery,
  order: SetRestoreOrder,
  context: CommandContext,
): Promise<CommandResult> {
  const { setId, place, copybackFile } = order
  if (copybackFile !== undefined) await writeSql(copybackFile, '')
  const report = await recovery.sets.restore({
    ...place,
    setId,
    isDryRun: order.dryRun,
    signal: context.signal,
    onProgress: ({ phase, done, total, relation }) =>
      context.progress.update({ label: `${phase} ${displayRelation(relation)}`, done, total, unit: UNITS[phase] }),
  })
  context.progress.clear()
  const copyback = order.dryRun ? undefined : await recovery.sets.planCopyback(setId, place, order.conflictPolicy)
  if (copyback !== undefined && copybackFile !== undefined) await writeSql(copybackFile, `${textOf(copyback)}\n`)
  return showReport(report, copyback)
}

/** Tried before anything is restored: the SQL must not get lost at the end. Throws USAGE_INVALID. */
async function writeSql(path: string, sql: string): Promise<void> {
  try {
    await writeFile(path, sql, { mode: 0o600 })
  } catch (error) {
    throw new BackstopError('USAGE_INVALID', `--copyback-file ${path} cannot be written`, { cause: error })
  }
}

/** Good for `psql -f`, also where there is nothing to do. */
function textOf({ statements }: SetCopybackPlan): string {
  return statements.length === 0 ? `-- ${NOTHING_TO_DO}` : statements.map((statement) => `${statement};`).join('\n')
}

function reportData(report: SetRestoreReport, copyback: SetCopybackPlan | undefined): object {
  return {
    set_id: report.setId,
    timestamp: report.capturedAt,
    lsn: report.lsn,
    dry_run: report.isDryRun,
    created_schema: report.createdSchema ?? null,
    members: report.members.map((member) => ({
      snapshot_id: member.snapshotId,
      source: displayRelation(member.source),
      target: displayRelation(member.target),
      row_count: member.rowCount,
      size_bytes: member.sizeBytes,
      rebuilt: member.rebuilt,
      not_rebuilt: member.notRebuilt,
      checked: member.checked,
    })),
    keys: report.keys,
    copyback:
      copyback === undefined
        ? null
        : {
            ...copyback,
            members: copyback.members.map(({ relation, recovered, action }) => ({
              table: displayRelation(relation),
              recovered: displayRelation(recovered),
              action,
            })),
          },
  }
}

function showReport(report: SetRestoreReport, copyback: SetCopybackPlan | undefined): CommandResult {
  const rowCount = report.members.reduce((sum, member) => sum + member.rowCount, 0)
  const tables = `${report.members.length} tables with ${rowCount} rows`
  const head = report.isDryRun
    ? `Dry run: ${tables} would be restored; nothing was changed.`
    : `${tables} are restored as they were at LSN ${report.lsn}, each compared with its snapshot.`
  const blocks: Block[] = [
    { kind: 'text', text: head, tone: 'good' },
    {
      kind: 'table',
      columns: [
        { title: 'table' },
        { title: 'into' },
        { title: 'rows', isRight: true },
        { title: 'size', isRight: true },
      ],
      rows: report.members.map(({ source, target, rowCount: rows, sizeBytes }) => [
        displayRelation(source),
        displayRelation(target),
        String(rows),
        formatBytes(sizeBytes),
      ]),
      whenEmpty: '',
    },
  ]
  if (report.keys.length > 0) {
    const title = report.isDryRun ? 'Foreign keys that would be made between them' : 'Foreign keys between them'
    blocks.push({ kind: 'title', text: title }, { kind: 'list', items: report.keys })
  }
  const missing = report.members.flatMap(({ target, notRebuilt }) =>
    notRebuilt.map(({ subject, reason }) => `${displayRelation(target)}: ${subject}: ${reason}`),
  )
  if (missing.length > 0) blocks.push({ kind: 'title', text: 'Not rebuilt' }, { kind: 'list', items: missing })
  if (copyback !== undefined) blocks.push(...copybackBlocks(copyback))
  return { ok: true, data: reportData(report, copyback), blocks }
}

function copybackBlocks(copyback: SetCopybackPlan): readonly Block[] {
  const notes: readonly Block[] = copyback.notes.length === 0 ? [] : [{ kind: 'list', items: copyback.notes }]
  if (copyback.statements.length === 0) {
    return [{ kind: 'title', text: 'Way back' }, { kind: 'text', text: NOTHING_TO_DO }, ...notes]
  }
  return [{ kind: 'title', text: 'Way back: read it, then run it' }, { kind: 'code', text: textOf(copyback) }, ...notes]
}
