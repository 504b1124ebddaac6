/** Which tables a set takes, as the flags name them. */
import { recoveryGroups } from '#lib/gate/index.ts'
import { BackstopError, type RelationName } from '#lib/kernel/index.ts'
import type { Recovery, SetSelection } from '#lib/recovery/index.ts'
import type { CommandContext } from '../frame/index.ts'
import { readTable, text } from '../frame/index.ts'
import { loadPolicy } from '../frame/policy-source.ts'

export const SELECTION_FLAGS = {
  tables: text('--tables <names>', 'just these, with commas between: orders,lines,"Sales"."Order"'),
  connected: text('--connected <names>', 'these, and all that foreign keys join to them, in both directions'),
  dependencies: text('--dependencies <names>', 'these, and all that they refer to by foreign keys'),
  group: text('--group <name>', 'a recovery group of the policy'),
  policy: text('--policy <path>', 'the policy with that group (BACKSTOP_POLICY)'),
}

export interface SelectionFlags {
  readonly tables: string | undefined
  readonly connected: string | undefined
  readonly dependencies: string | undefined
  readonly group: string | undefined
  readonly policy: string | undefined
}

const NAME_BETWEEN_COMMAS = /(?:"(?:[^"]|"")*"|[^,"])+/g

/** Commas inside of quotes belong to the name. Throws USAGE_INVALID. */
export function readTables(written: string): readonly RelationName[] {
  return (written.match(NAME_BETWEEN_COMMAS) ?? [])
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .map((one) => readTable(one))
}

/** One, or of a group one in each schema that has it. Throws USAGE_INVALID. */
export async function readSelections(
  recovery: Recovery,
  flags: SelectionFlags,
  { environment }: CommandContext,
): Promise<readonly SetSelection[]> {
  const kinds = (['tables', 'connected', 'dependencies', 'group'] as const).filter((kind) => flags[kind] !== undefined)
  const [kind] = kinds
  if (kind === undefined || kinds.length > 1) {
    throw new BackstopError('USAGE_INVALID', 'give one of --tables, --connected, --dependencies and --group')
  }
  if (kind !== 'group') return [{ kind, tables: readTables(flags[kind] ?? '') }]
  const { policy } = await loadPolicy(flags.policy, environment)
  const groups = recoveryGroups(policy)
  const wanted = groups.filter(({ name }) => name === flags.group)
  if (wanted.length === 0) {
    const known = groups.map(({ name }) => name).join(', ') || 'none'
    throw new BackstopError('USAGE_INVALID', `the policy has no recovery group ${flags.group}; it has: ${known}`)
  }
  const found = await recovery.sets.findGroups(wanted)
  if (found.length > 0) return found.map(({ selection }) => selection)
  throw new BackstopError('TABLE_MISSING', `fewer than two tables of the group ${flags.group} are there`)
}
