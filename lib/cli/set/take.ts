/** `backstop sets take`: recovery points of several tables at one instant. */
import { systemClock } from '#lib/adapters/system/index.ts'
import type { CapturedSet, Recovery, SetSelection } from '#lib/recovery/index.ts'
import { openRecoveryTools } from '#lib/runtime/tools/index.ts'
import type { CommandResult } from '../frame/index.ts'
import {
  DATABASE_FLAG,
  defineCommand,
  findSetting,
  getSetting,
  METADATA_FLAG,
  rowLimit,
  STORAGE_FLAG,
  toggle,
} from '../frame/index.ts'
import { pointTable } from '../snapshots/index.ts'
import type { Block } from '../terminal/index.ts'
import { readSelections, SELECTION_FLAGS } from './selection.ts'
import { planBlocks, planData, setData, setTable } from './view.ts'

export const setsTake = defineCommand({
  path: 'sets take',
  summary: 'Take recovery points of several tables at one instant',
  details:
    'All tables are read under one snapshot of the database, so that they fit each other: one exported snapshot, one WAL ' +
    'position. They count as a set only when every one of them was read back and the list of them was written. Each is an ' +
    'ordinary recovery point of its table as well. A partitioned table is one member with the rows of its partitions.',
  flags: {
    ...SELECTION_FLAGS,
    dryRun: toggle('--dry-run', 'say which tables it would take, and take none'),
    db: DATABASE_FLAG,
    storage: STORAGE_FLAG,
    metadataDb: METADATA_FLAG,
  },
  json: 'sets[] (of a group one in each schema that has it); with --dry-run plans[] (members[], circles[], keys, notes[])',
  examples: [
    {
      does: 'All that hangs together with the orders',
      line: 'backstop sets take --connected orders --db postgresql://localhost/shop --storage file:///backups',
    },
    {
      does: 'A recovery group of the policy',
      line: 'backstop sets take --group checkout --policy policy.json --db postgresql://localhost/shop --storage file:///backups',
    },
    {
      does: 'Look before',
      line: 'backstop sets take --tables orders,lines --dry-run --db postgresql://localhost/shop --storage file:///backups',
    },
  ],
  async run({ flags }, context) {
    const { environment } = context
    const dbUrl = getSetting(flags.db, '--db', 'BACKSTOP_DB_URL', environment)
    const storageUrl = getSetting(flags.storage, '--storage', 'BACKSTOP_STORAGE_URL', environment)
    const metadataPath = findSetting(flags.metadataDb, 'BACKSTOP_METADATA_DB', environment)
    const tools = await openRecoveryTools({
      dbUrl,
      storageUrl,
      ...(metadataPath === undefined ? {} : { metadataPath }),
      ...rowLimit(environment),
    })
    try {
      const selections = await readSelections(tools.recovery, flags, context)
      return flags.dryRun ? await showPlans(tools.recovery, selections) : await takeAll(tools.recovery, selections)
    } finally {
      await tools.close()
    }
  },
})

async function showPlans(recovery: Recovery, selections: readonly SetSelection[]): Promise<CommandResult> {
  const plans = await Promise.all(selections.map((selection) => recovery.sets.plan(selection)))
  return { ok: true, data: { plans: plans.map(planData) }, blocks: plans.flatMap(planBlocks) }
}

async function takeAll(recovery: Recovery, selections: readonly SetSelection[]): Promise<CommandResult> {
  const captured: CapturedSet[] = []
  for (const selection of selections) captured.push(await recovery.sets.capture(selection, 'manual'))
  const nowMs = systemClock.nowMs()
  const sets = captured.map(({ set }) => set)
  const notes = captured.flatMap((one) => one.notes)
  const blocks: Block[] = [setTable(sets, nowMs, '')]
  for (const { points } of captured) blocks.push(pointTable(points, nowMs, ''))
  if (notes.length > 0) blocks.push({ kind: 'list', items: notes })
  return { ok: true, data: { sets: sets.map((set) => setData(set, nowMs)), notes }, blocks }
}
