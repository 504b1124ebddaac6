/** Decides where the members of a set are restored to, beside their originals. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, quoteRelation } from '#lib/kernel/index.ts'
import { fitIdentifier, type StandIns } from '../restore/index.ts'

export interface SetPlace {
  /** All members in this schema, under their own names; those that share a name get their schema's in front. */
  readonly schema?: string
  /** At the end of each name; `_recovered` when neither is given. */
  readonly suffix?: string
}

const DEFAULT_SUFFIX = '_recovered'

/**
 * By the quoted name of the original.
 *
 * Effects: pure
 * Throws:  `RESTORE_OVER_SOURCE` where a target is a member itself; `RESTORE_TARGET_EXISTS` where two members would lie in one
 */
export function chooseTargets(members: readonly RelationName[], place: SetPlace): StandIns {
  const suffix = place.suffix ?? (place.schema === undefined ? DEFAULT_SUFFIX : '')
  const nameOf = ({ schema, name }: RelationName) => {
    const isShared = place.schema !== undefined && members.filter((other) => other.name === name).length > 1
    return fitIdentifier(`${isShared ? `${schema}_` : ''}${name}${suffix}`)
  }
  const targets = new Map(
    members.map((member) => [
      quoteRelation(member),
      { schema: place.schema ?? member.schema, name: nameOf(member) } satisfies RelationName,
    ]),
  )
  const taken = new Set<string>()
  for (const target of targets.values()) {
    const name = quoteRelation(target)
    if (targets.has(name)) {
      throw new BackstopError('RESTORE_OVER_SOURCE', `refusing to restore over ${displayRelation(target)} itself`)
    }
    if (taken.has(name)) {
      throw new BackstopError('RESTORE_TARGET_EXISTS', `two members would be restored into ${displayRelation(target)}`)
    }
    taken.add(name)
  }
  return targets
}
