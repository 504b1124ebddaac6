/** `backstop recover`: from "the table is gone" to validated rows and the SQL that brings them back. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { CommandContext } from '../frame/index.ts'
import { defineCommand, optionalChoice, text, toggle } from '../frame/index.ts'
import { SET_PLACE_FLAGS, SET_RESTORE_JSON } from '../set/index.ts'
import { openTools, RESTORE_FLAGS, RESTORE_JSON } from './open-tools.ts'
import { recoverLogical } from './recover-logical.ts'
import { recoverPitr } from './recover-pitr.ts'
import { assertFlagsFit, recoverSet } from './recover-set.ts'
import { recoverTable } from './recover-table.ts'
import { WHOLE_FLAGS } from './whole-flags.ts'

const TYPES = ['table', 'set', 'logical', 'pitr'] as const

export const recover = defineCommand({
  path: 'recover',
  summary: 'Bring a lost table back, or several at one instant, a database or a server, step by step',
  details:
    'Offers valid recovery points only, shows what will happen, restores beside the original, compares the whole ' +
    'content, and prints the SQL for the way back. The original table is never written. With --type set several tables that were captured at one instant come back ' +
    'together, all or none, with the foreign keys between them. With --type logical a whole ' +
    'database is restored from a dump, all or nothing; with --type pitr a data folder is prepared that recovers to a point ' +
    'in time when a server is started on it.',
  flags: {
    type: optionalChoice('--type <type>', 'what to recover (asked for at a terminal, else table)', TYPES),
    table: text(
      '--table <name>',
      'the table: name or schema.name (asked for at a terminal); with --type set: one that the set has',
    ),
    snapshotId: text('--snapshot-id <id>', 'this recovery point (else the newest valid one is proposed)'),
    setId: text('--set-id <id>', 'this set, with --type set (else the newest valid one is proposed)'),
    at: text('--at <instant>', 'the newest recovery point that is not later, such as 2026-11-21T02:59:00Z'),
    ...RESTORE_FLAGS,
    conflictPolicy: optionalChoice(
      '--conflict-policy <policy>',
      'when the target exists: add missing rows, replace rows of the same key too, or refuse (asked for at a terminal, else fail)',
      ['skip', 'overwrite', 'fail'] as const,
    ),
    schema: ofSets(SET_PLACE_FLAGS.schema),
    suffix: ofSets(SET_PLACE_FLAGS.suffix),
    yes: toggle('--yes', 'do not ask for confirmation'),
    nonInteractive: toggle('--non-interactive', 'ask nothing: take the newest valid point'),
    ...WHOLE_FLAGS,
  },
  json: `${RESTORE_JSON}; with --type set: ${SET_RESTORE_JSON}`,
  examples: [
    {
      does: 'Guided, at a terminal: asks for everything that is not said',
      line: 'backstop recover --db postgresql://… --storage file:///backups',
    },
    {
      does: 'A whole server, as it was before the accident',
      line: 'backstop recover --type pitr --storage file:///backups --cluster-id prod --target-dir /scratch/pg --target-time "2026-11-21 02:59:00+00"',
    },
    {
      does: 'As the table was before the accident',
      line: 'backstop recover --db postgresql://… --storage file:///backups --table payments --at 2026-11-21T02:59:00Z',
    },
    {
      does: 'Several tables that belong together, as they were at one instant',
      line: 'backstop recover --db postgresql://… --storage file:///backups --type set --table orders --schema rescue',
    },
    {
      does: 'In a script',
      line: 'backstop recover --db postgresql://… --storage file:///backups --table payments --non-interactive --json',
    },
  ],
  async run({ flags }, context) {
    const isUnattended = flags.yes || flags.nonInteractive
    const surroundings = flags.nonInteractive ? withoutQuestions(context) : context
    if (!isUnattended && !flags.dryRun && context.ask === undefined) {
      throw new BackstopError('USAGE_INVALID', 'nobody can be asked here: give --yes or --non-interactive')
    }
    const type = flags.type ?? (flags.setId === undefined ? await typeAsked(flags.table, surroundings) : 'set')
    assertFlagsFit(type, {
      '--snapshot-id': flags.snapshotId,
      '--target-table': flags.targetTable,
      '--set-id': flags.setId,
      '--schema': flags.schema,
      '--suffix': flags.suffix,
    })
    if (type === 'logical' || type === 'pitr') {
      const recoverWhole = type === 'logical' ? recoverLogical : recoverPitr
      return await recoverWhole({ ...flags, targetTime: flags.targetTime ?? flags.at, isUnattended }, surroundings)
    }
    if (type === 'table' && flags.table === undefined && surroundings.ask === undefined) {
      throw new BackstopError('USAGE_INVALID', 'give --table')
    }
    const tools = await openTools(flags, context)
    try {
      const recoverThese = type === 'set' ? recoverSet : recoverTable
      return await recoverThese(tools.recovery, { ...flags, isUnattended, isDryRun: flags.dryRun }, surroundings)
    } finally {
      await tools.close()
    }
  },
})

function ofSets<T extends { readonly summary: string }>(flag: T): T {
  return { ...flag, summary: `with --type set: ${flag.summary}` }
}

/** A table that is named says it all. */
async function typeAsked(table: string | undefined, { ask }: CommandContext): Promise<(typeof TYPES)[number]> {
  if (table !== undefined || ask === undefined) return 'table'
  const answer = await ask.choose('What is to be recovered?', [
    { value: 'table', label: 'One table', hint: 'restored beside the original, with the SQL for the way back' },
    { value: 'set', label: 'Several tables of one instant', hint: 'a set: all or none, with their foreign keys' },
    { value: 'logical', label: 'A whole database', hint: 'from a dump, all or nothing' },
    { value: 'pitr', label: 'A whole server, at a point in time', hint: 'a data folder to start a server on' },
  ])
  return TYPES.find((type) => type === answer) ?? 'table'
}

function withoutQuestions({ ask: _, ...context }: CommandContext): CommandContext {
  return context
}
