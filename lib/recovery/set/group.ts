/** Turns the groups of a policy, and what foreign keys join, into the tables of a database. */
import type { RelationName } from '#lib/kernel/index.ts'
import { isBackstopError, quoteRelation } from '#lib/kernel/index.ts'
import type { NamedGroup } from '../round/index.ts'
import type { SetSelection, TableGraph } from './model.ts'
import { planSet } from './plan.ts'

export interface FoundGroup {
  readonly selection: SetSelection
  /** At least two, as a set of them has them. */
  readonly members: readonly RelationName[]
}

/**
 * The groups that exist, each table of a group that is not there left out. A group with names without a schema is one group in
 * each schema that has one of those.
 *
 * Effects: pure
 */
export function findGroups(graph: TableGraph, groups: readonly NamedGroup[]): readonly FoundGroup[] {
  const known = new Map(graph.tables.map(({ relation }) => [quoteRelation(relation), relation]))
  return groups.flatMap(({ name, tables }) => {
    const bare = new Set(tables.flatMap((table) => (table.schema === undefined ? [table.name] : [])))
    const schemas = new Set(graph.tables.flatMap(({ relation }) => (bare.has(relation.name) ? [relation.schema] : [])))
    const places = bare.size === 0 ? [''] : [...schemas]
    return places.flatMap((place) => {
      const found = tables.flatMap((table) => {
        const relation = known.get(quoteRelation({ schema: table.schema ?? place, name: table.name }))
        return relation === undefined ? [] : [relation]
      })
      return asGroup(graph, { kind: 'group', group: name, tables: found })
    })
  })
}

/** All tables that foreign keys join, each group of them once; one that is too large for a set is left out. */
export function findJoined(graph: TableGraph): readonly FoundGroup[] {
  const seen = new Set<string>()
  const groups: FoundGroup[] = []
  for (const { table } of graph.keys) {
    if (seen.has(quoteRelation(table))) continue
    for (const group of asGroup(graph, { kind: 'connected', tables: [table] })) {
      for (const member of group.members) seen.add(quoteRelation(member))
      groups.push(group)
    }
    seen.add(quoteRelation(table))
  }
  return groups
}

function asGroup(graph: TableGraph, selection: SetSelection): readonly FoundGroup[] {
  if (selection.tables.length === 0) return []
  try {
    const { members } = planSet(graph, selection)
    return members.length > 1 ? [{ selection, members }] : []
  } catch (error) {
    if (isBackstopError(error, 'SET_TOO_LARGE')) return []
    throw error
  }
}
