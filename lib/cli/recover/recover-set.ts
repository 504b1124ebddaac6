/** `backstop recover --type set`: several tables of one instant, all or none, with the foreign keys between them. */
import { systemClock } from '#lib/adapters/system/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ConflictPolicy, Recovery, SetPlace, StoredSet } from '#lib/recovery/index.ts'
import type { CommandContext, CommandResult } from '../frame/index.ts'
import { findSets, placeOf, readSetId, restoreSet } from '../set/index.ts'
import type { Block } from '../terminal/index.ts'
import { Cancelled, formatBytes } from '../terminal/index.ts'
import { ageOf } from './choose.ts'
import { chooseSet, offeredSets, sumOf, tablesOf } from './choose-set.ts'

export interface SetFlags {
  readonly setId: string | undefined
  readonly table: string | undefined
  readonly at: string | undefined
  readonly schema: string | undefined
  readonly suffix: string | undefined
  /** Of the way back. */
  readonly conflictPolicy: ConflictPolicy | undefined
  readonly isUnattended: boolean
  readonly isDryRun: boolean
  readonly copybackFile: string | undefined
}

const BESIDE = 'beside the originals, as <table>_recovered'

/** Throws SET_MISSING, SET_INVALID, USAGE_INVALID, Cancelled, what a restore of a set throws. */
export async function recoverSet(recovery: Recovery, flags: SetFlags, context: CommandContext): Promise<CommandResult> {
  const nowMs = systemClock.nowMs()
  const setId = flags.setId === undefined ? undefined : readSetId(flags.setId)
  const offered = offeredSets(await findSets(recovery), { ...flags, setId }, nowMs)
  const set = await chooseSet(offered, flags, context, nowMs)
  const place = await pickPlace(flags, context)
  if (!context.isJson) await context.show({}, previewOf(set, place, nowMs))
  const mustAsk = !flags.isUnattended && !flags.isDryRun
  if (mustAsk && (await context.ask?.confirm('Restore now?')) !== true) throw new Cancelled()
  const { conflictPolicy = 'overwrite', copybackFile, isDryRun: dryRun } = flags
  return await restoreSet(recovery, { setId: set.setId, place, conflictPolicy, copybackFile, dryRun }, context)
}

/** Asks for a schema where nothing was said. */
async function pickPlace(flags: SetFlags, { ask }: CommandContext): Promise<SetPlace> {
  const isSaid = flags.schema !== undefined || flags.suffix !== undefined
  if (isSaid || ask === undefined || flags.isUnattended) return placeOf(flags)
  const answer = await ask.write('Into which schema? It is made where it is not there', BESIDE, () => undefined)
  return answer === BESIDE ? {} : { schema: answer }
}

function previewOf(set: StoredSet, place: SetPlace, nowMs: number): readonly Block[] {
  return [
    { kind: 'title', text: 'What will happen' },
    {
      kind: 'pairs',
      pairs: [
        ['set', `${set.setId} (${set.origin})`],
        ['of', tablesOf(set)],
        ['captured', `${set.capturedAt}, ${ageOf(set, nowMs)}`],
        ['rows', `${sumOf(set, 'rowCount')}, ${formatBytes(sumOf(set, 'sizeBytes'))}`],
        ['into', placeText(place)],
        ['originals', 'are not touched'],
      ],
    },
  ]
}

function placeText({ schema, suffix }: SetPlace): string {
  if (schema === undefined) return `beside the originals, as <table>${suffix ?? '_recovered'}`
  return `the schema ${schema}${suffix === undefined ? '' : `, as <table>${suffix}`}`
}

/** Throws USAGE_INVALID for what is of one table alone, or of sets alone. */
export function assertFlagsFit(type: string, given: Readonly<Record<string, string | undefined>>): void {
  const strange = type === 'set' ? ['--snapshot-id', '--target-table'] : ['--set-id', '--schema', '--suffix']
  const found = strange.find((name) => given[name] !== undefined)
  if (found === undefined) return
  const instead = type === 'set' ? 'a set has --set-id, and --schema or --suffix' : 'it goes with --type set'
  throw new BackstopError('USAGE_INVALID', `${found} does not fit --type ${type}: ${instead}`)
}
