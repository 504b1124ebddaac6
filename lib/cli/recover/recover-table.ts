/** `backstop recover` of one table: asks for what was not said, shows what will happen, restores, and says what comes next. */
import { systemClock } from '#lib/adapters/system/index.ts'
import { BackstopError, displayRelation, epochMsOf, isBackstopError, type RelationName } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { type ConflictPolicy, defaultTarget, type Recovery } from '#lib/recovery/index.ts'
import type { CommandContext, CommandResult } from '../frame/index.ts'
import { readTable } from '../frame/index.ts'
import { findPoints, tableFilter } from '../snapshots/index.ts'
import type { Block } from '../terminal/index.ts'
import { Cancelled, formatBytes, formatDuration } from '../terminal/index.ts'
import { choosePoint, offeredPoints, oneTable, pointById } from './choose.ts'
import { askTable, withNearestNames } from './choose-table.ts'
import { targetOf } from './open-tools.ts'
import { restoreTable, showRestore } from './restore-table.ts'

export interface TableFlags {
  readonly table: string | undefined
  readonly snapshotId: string | undefined
  readonly at: string | undefined
  readonly targetTable: string | undefined
  /** Undefined: not said; `fail` where nobody can be asked. */
  readonly conflictPolicy: ConflictPolicy | undefined
  readonly isUnattended: boolean
  readonly isDryRun: boolean
  readonly copybackFile: string | undefined
}

export async function recoverTable(
  recovery: Recovery,
  flags: TableFlags,
  context: CommandContext,
): Promise<CommandResult> {
  const point = await pickPoint(recovery, flags, context)
  const place = await pickTarget(recovery, flags, point.relation, context)
  if (!context.isJson) await context.show({}, previewOf(point, place))
  const mustAsk = !flags.isUnattended && !flags.isDryRun
  if (mustAsk && (await context.ask?.confirm('Restore now?')) !== true) throw new Cancelled()
  const { isDryRun, copybackFile } = flags
  const order = { snapshotId: point.snapshotId, ...place, isDryRun, copybackFile }
  const { report, copyback } = await restoreTable(recovery, order, context)
  return showRestore(report, place.conflictPolicy, copyback)
}

async function pickPoint(recovery: Recovery, flags: TableFlags, context: CommandContext): Promise<RecoveryPoint> {
  const nowMs = systemClock.nowMs()
  const table = flags.table ?? (await tableAsked(recovery, context, nowMs))
  const found = await findPoints(recovery, tableFilter(table))
  if (flags.snapshotId !== undefined) return pointById(found, flags.snapshotId, table)
  try {
    const offered = offeredPoints(found, table, flags.at, nowMs)
    oneTable(offered)
    // An instant says which point it is: the newest one that is not later.
    return flags.at === undefined ? await choosePoint(offered, context, nowMs) : (offered[0] ?? never())
  } catch (error) {
    const isNone = isBackstopError(error, 'SNAPSHOT_NONE_VALID')
    throw isNone ? withNearestNames(error, table, (await findPoints(recovery)).points) : error
  }
}

function never(): never {
  throw new BackstopError('BUG', 'nothing to choose from')
}

async function tableAsked(recovery: Recovery, { ask }: CommandContext, nowMs: number): Promise<string> {
  if (ask === undefined) throw new BackstopError('USAGE_INVALID', 'give --table')
  return await askTable(await findPoints(recovery), ask, nowMs)
}

interface Place {
  readonly target: RelationName
  readonly conflictPolicy: ConflictPolicy
}

/** Asks for a name where none was given, and what is to become of a table that has it. */
async function pickTarget(
  recovery: Recovery,
  flags: TableFlags,
  source: RelationName,
  { ask }: CommandContext,
): Promise<Place> {
  const canAsk = ask !== undefined && !flags.isUnattended
  const written =
    flags.targetTable ??
    (canAsk
      ? await ask.write('Restore into which table?', writtenTarget(source), (name) => problemOf(source, name))
      : undefined)
  const target = targetOf(source, written)
  if (flags.conflictPolicy !== undefined) return { target, conflictPolicy: flags.conflictPolicy }
  if (!canAsk || !(await recovery.hasTable(target))) return { target, conflictPolicy: 'fail' }
  const answer = await ask.choose(`${displayRelation(target)} exists. What now?`, [
    { value: 'stop', label: 'Stop: nothing is changed' },
    { value: 'skip', label: 'Add the rows that it lacks, leave the others' },
    { value: 'overwrite', label: 'Add the rows that it lacks, set the others back to the snapshot' },
  ])
  if (answer !== 'skip' && answer !== 'overwrite') throw new Cancelled()
  return { target, conflictPolicy: answer }
}

function writtenTarget(source: RelationName): string {
  const { name } = defaultTarget(source)
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}

function problemOf(source: RelationName, written: string): string | undefined {
  try {
    targetOf(source, written)
    readTable(written, source.schema)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function previewOf(point: RecoveryPoint, { target, conflictPolicy }: Place): readonly Block[] {
  const ageMs = systemClock.nowMs() - epochMsOf(point.capturedAt)
  return [
    { kind: 'title', text: 'What will happen' },
    {
      kind: 'pairs',
      pairs: [
        ['snapshot', `${point.snapshotId} (${point.origin})`],
        ['of', displayRelation(point.relation)],
        ['captured', `${point.capturedAt}, ${formatDuration(ageMs)} ago`],
        ['rows', `${point.rowCount}, ${formatBytes(point.sizeBytes)}`],
        ['into', `${displayRelation(target)} (when it exists: ${conflictPolicy})`],
        ['original', 'is not touched'],
      ],
    },
  ]
}
