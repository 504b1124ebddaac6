/** `backstop recover`: from "the table is gone" to validated rows and the SQL that brings them back. */
import { systemClock } from '#lib/adapters/system/index.ts'
import { BackstopError, displayRelation, epochMsOf, type RelationName } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { Recovery } from '#lib/recovery/index.ts'
import type { CommandContext, CommandResult } from '../frame/index.ts'
import { choice, defineCommand, text, toggle } from '../frame/index.ts'
import { findPoints, tableFilter } from '../snapshots/index.ts'
import type { Block } from '../terminal/index.ts'
import { Cancelled, formatBytes, formatDuration } from '../terminal/index.ts'
import { choosePoint, oneTable, pointById, validPoints } from './choose.ts'
import { openTools, RESTORE_FLAGS, RESTORE_JSON, targetOf } from './open-tools.ts'
import { recoverLogical } from './recover-logical.ts'
import { recoverPitr } from './recover-pitr.ts'
import { restoreTable, showRestore } from './restore-table.ts'
import { WHOLE_FLAGS } from './whole-flags.ts'

interface RecoverFlags {
  readonly table: string
  readonly snapshotId: string | undefined
  readonly targetTable: string | undefined
  readonly conflictPolicy: 'skip' | 'overwrite' | 'fail'
  readonly isUnattended: boolean
  readonly isDryRun: boolean
  readonly copybackFile: string | undefined
}

export const recover = defineCommand({
  path: 'recover',
  summary: 'Bring a lost table back, or a database or a server, step by step',
  details:
    'Offers valid recovery points only, shows what will happen, restores beside the original, compares the whole ' +
    'content, and prints the SQL for the way back. The original table is never written. With --type logical a whole ' +
    'database is restored from a dump, all or nothing; with --type pitr a data folder is prepared that recovers to a point ' +
    'in time when a server is started on it.',
  flags: {
    type: choice('--type <type>', 'what to recover', ['table', 'logical', 'pitr'] as const, 'table'),
    table: text('--table <name>', 'the table: name or schema.name'),
    snapshotId: text('--snapshot-id <id>', 'this recovery point (else the newest valid one is proposed)'),
    ...RESTORE_FLAGS,
    yes: toggle('--yes', 'do not ask for confirmation'),
    nonInteractive: toggle('--non-interactive', 'ask nothing: take the newest valid point'),
    ...WHOLE_FLAGS,
  },
  json: RESTORE_JSON,
  examples: [
    {
      does: 'Guided, at a terminal',
      line: 'backstop recover --db postgresql://… --storage file:///backups --table payments',
    },
    {
      does: 'A whole server, as it was before the accident',
      line: 'backstop recover --type pitr --storage file:///backups --cluster-id prod --target-dir /scratch/pg --target-time "2026-11-21 02:59:00+00"',
    },
    {
      does: 'In a script',
      line: 'backstop recover --db postgresql://… --storage file:///backups --table payments --non-interactive --json',
    },
  ],
  async run({ flags }, context) {
    const isUnattended = flags.yes || flags.nonInteractive
    if (flags.type === 'table' && flags.table === undefined) throw new BackstopError('USAGE_INVALID', 'give --table')
    if (!isUnattended && !flags.dryRun && context.ask === undefined) {
      throw new BackstopError('USAGE_INVALID', 'nobody can be asked here: give --yes or --non-interactive')
    }
    if (flags.type !== 'table' || flags.table === undefined) {
      const recoverWhole = flags.type === 'logical' ? recoverLogical : recoverPitr
      return await recoverWhole({ ...flags, isUnattended }, context)
    }
    const tools = await openTools(flags, context)
    try {
      const order = { ...flags, table: flags.table, isUnattended, isDryRun: flags.dryRun }
      return await recoverTable(tools.recovery, order, flags.nonInteractive ? withoutQuestions(context) : context)
    } finally {
      await tools.close()
    }
  },
})

function withoutQuestions({ ask: _, ...context }: CommandContext): CommandContext {
  return context
}

async function pickPoint(recovery: Recovery, flags: RecoverFlags, context: CommandContext): Promise<RecoveryPoint> {
  const found = await findPoints(recovery, tableFilter(flags.table))
  if (flags.snapshotId !== undefined) return pointById(found, flags.snapshotId, flags.table)
  const valid = validPoints(found, flags.table)
  oneTable(valid)
  return await choosePoint(valid, context, systemClock.nowMs())
}

function previewOf(point: RecoveryPoint, target: RelationName, flags: RecoverFlags): readonly Block[] {
  return [
    { kind: 'title', text: 'What will happen' },
    {
      kind: 'pairs',
      pairs: [
        ['snapshot', point.snapshotId],
        ['of', displayRelation(point.relation)],
        ['captured', `${point.capturedAt}, ${formatDuration(systemClock.nowMs() - epochMsOf(point.capturedAt))} ago`],
        ['rows', `${point.rowCount}, ${formatBytes(point.sizeBytes)}`],
        ['into', `${displayRelation(target)} (when it exists: ${flags.conflictPolicy})`],
        ['original', 'is not touched'],
      ],
    },
  ]
}

async function recoverTable(recovery: Recovery, flags: RecoverFlags, context: CommandContext): Promise<CommandResult> {
  const point = await pickPoint(recovery, flags, context)
  const target = targetOf(point.relation, flags.targetTable)
  if (!context.isJson) await context.show({}, previewOf(point, target, flags))
  const mustAsk = !flags.isUnattended && !flags.isDryRun
  if (mustAsk && (await context.ask?.confirm('Restore now?')) !== true) throw new Cancelled()
  const { conflictPolicy, isDryRun, copybackFile } = flags
  const order = { snapshotId: point.snapshotId, target, conflictPolicy, isDryRun, copybackFile }
  const { report, copyback } = await restoreTable(recovery, order, context)
  return showRestore(report, order.conflictPolicy, copyback)
}
