/** Which set: only those of which the list and every member are valid are ever offered. */
import { BackstopError, displayRelation, epochMsOf, type SetId } from '#lib/kernel/index.ts'
import type { StoredSet } from '#lib/recovery/index.ts'
import type { CommandContext } from '../frame/index.ts'
import { readTable } from '../frame/index.ts'
import type { FoundSets } from '../set/index.ts'
import { formatBytes } from '../terminal/index.ts'
import { ageOf, MOST_OFFERED, readInstant, trustedFirst } from './choose.ts'

export interface SetWish {
  readonly setId: SetId | undefined
  /** A table that is to be in it. */
  readonly table: string | undefined
  readonly at: string | undefined
}

/** Valid, with the table, of the instant or older, in the order in which they are offered. Throws SET_MISSING, SET_INVALID. */
export function offeredSets({ sets, problems }: FoundSets, wish: SetWish, nowMs: number): readonly StoredSet[] {
  const named = sets.filter(
    (set) => (wish.setId === undefined || set.setId === wish.setId) && hasTable(set, wish.table),
  )
  const atMs = wish.at === undefined ? Number.POSITIVE_INFINITY : readInstant(wish.at)
  const early = named.filter(({ capturedAt }) => epochMsOf(capturedAt) <= atMs)
  const valid = trustedFirst(
    early.filter(({ status }) => status === 'valid'),
    nowMs,
  )
  if (valid.length > 0) return valid
  const subject = subjectOf(wish)
  const reason = early.find(({ problem }) => problem !== undefined)?.problem
  if (reason !== undefined) throw new BackstopError('SET_INVALID', `no valid set${subject}: ${reason}`)
  const unread = problems.find(({ key }) => wish.setId !== undefined && key.includes(wish.setId))
  if (unread !== undefined) throw new BackstopError('SET_INVALID', `no valid set${subject}: ${unread.reason}`)
  throw new BackstopError('SET_MISSING', `there is no set${subject}`)
}

function subjectOf({ setId, table, at }: SetWish): string {
  return `${setId === undefined ? '' : ` ${setId}`}${table === undefined ? '' : ` with ${table}`}${at === undefined ? '' : ` at ${at}`}`
}

function hasTable({ members }: StoredSet, table: string | undefined): boolean {
  if (table === undefined) return true
  const { name, schema } = readTable(table, '')
  return members.some(({ relation }) => relation.name === name && (schema === '' || relation.schema === schema))
}

/**
 * The newest where nobody is asked, and where an instant says which one it is, if all are of the same tables.
 *
 * Throws: USAGE_INVALID, Cancelled
 */
export async function chooseSet(
  sets: readonly StoredSet[],
  { isUnattended, at }: { readonly isUnattended: boolean; readonly at: string | undefined },
  { ask }: Pick<CommandContext, 'ask'>,
  nowMs: number,
): Promise<StoredSet> {
  const [newest] = sets
  if (newest === undefined) throw new BackstopError('BUG', 'nothing to choose from')
  const isOneGroup = new Set(sets.map(tablesOf)).size === 1
  const isAsking = ask !== undefined && !isUnattended
  if (sets.length === 1 || (isOneGroup && (!isAsking || at !== undefined))) return newest
  if (!isAsking) {
    throw new BackstopError(
      'USAGE_INVALID',
      'there are sets of several groups of tables: give --set-id, or --table with one that only the wanted group has',
    )
  }
  const chosen = await ask.choose(
    'Which set?',
    sets.slice(0, MOST_OFFERED).map((set) => ({
      value: set.setId,
      label: `${set.capturedAt}  ${ageOf(set, nowMs)}, ${tablesOf(set)}`,
      hint: `${set.setId}, ${sumOf(set, 'rowCount')} rows, ${formatBytes(sumOf(set, 'sizeBytes'))}`,
    })),
  )
  return sets.find(({ setId }) => setId === chosen) ?? newest
}

export function tablesOf({ members }: StoredSet): string {
  return members
    .map(({ relation }) => displayRelation(relation))
    .toSorted()
    .join(', ')
}

export function sumOf({ members }: StoredSet, of: 'rowCount' | 'sizeBytes'): number {
  return members.reduce((sum, member) => sum + member[of], 0)
}
