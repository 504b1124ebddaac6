/** Decides which tables a set takes, in which order they are restored, and which foreign keys hold them together. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, quoteRelation } from '#lib/kernel/index.ts'
import type { GraphTable, SetKey, SetPlan, SetSelection, TableGraph } from './model.ts'
import { MAX_MEMBERS } from './model.ts'
import { orderByReference } from './order.ts'

/**
 * The plan of a set.
 *
 * A partitioned table is one member with the rows of all partitions; a partition whose parent is a member is no member of its
 * own. Following foreign keys always takes the whole partitioned table. A table that others inherit from is captured without
 * their rows: following takes those others too, a plain list names them in its notes.
 *
 * Effects: pure
 * Throws:  `TABLE_MISSING`, `SET_TOO_LARGE`, `USAGE_INVALID` without a table
 */
export function planSet(graph: TableGraph, selection: SetSelection): SetPlan {
  const known = new Map(graph.tables.map((table) => [quoteRelation(table.relation), table]))
  const named = selection.tables.map((relation) => find(known, relation))
  if (named.length === 0) throw new BackstopError('USAGE_INVALID', 'a set takes at least one table')
  const isFollowed = selection.kind === 'connected' || selection.kind === 'dependencies'
  const reached = isFollowed
    ? follow(graph, known, named, selection.kind)
    : new Set(named.map(({ relation }) => quoteRelation(relation)))
  const { members, notes } = leaveOutPartitions(known, reached)
  if (members.size > MAX_MEMBERS) {
    throw new BackstopError('SET_TOO_LARGE', `${members.size} tables hang together, and a set takes ${MAX_MEMBERS}`)
  }
  const keys = sortKeys(graph.keys, members)
  const { order, circles } = orderByReference([...members], referencesOf(keys.inside))
  const relationOf = (name: string) => (known.get(name) as GraphTable).relation
  return {
    members: order.map(relationOf),
    circles: circles.map((circle) => circle.map(relationOf)),
    keys,
    notes: [...notes, ...childNotes(graph, known, members)],
  }
}

function find(known: ReadonlyMap<string, GraphTable>, relation: RelationName): GraphTable {
  const table = known.get(quoteRelation(relation))
  if (table !== undefined) return table
  throw new BackstopError('TABLE_MISSING', `there is no table ${displayRelation(relation)}`)
}

/** The partitioned table at the top; of any other table, itself. */
function rootOf(known: ReadonlyMap<string, GraphTable>, table: GraphTable): GraphTable {
  let root = table
  while (root.isPartition) {
    const [parent] = root.parents
    const above = parent === undefined ? undefined : known.get(quoteRelation(parent))
    if (above === undefined) return root
    root = above
  }
  return root
}

function follow(
  graph: TableGraph,
  known: ReadonlyMap<string, GraphTable>,
  named: readonly GraphTable[],
  kind: SetSelection['kind'],
): ReadonlySet<string> {
  const rootName = (relation: RelationName) => {
    const table = known.get(quoteRelation(relation))
    return table === undefined ? undefined : quoteRelation(rootOf(known, table).relation)
  }
  const neighbours = new Map<string, Set<string>>()
  const join = (from: string | undefined, to: string | undefined) => {
    if (from === undefined || to === undefined) return
    neighbours.set(from, (neighbours.get(from) ?? new Set()).add(to))
  }
  for (const key of graph.keys) {
    join(rootName(key.table), rootName(key.references))
    if (kind === 'connected') join(rootName(key.references), rootName(key.table))
  }
  for (const table of graph.tables) {
    if (!table.isPartition) for (const parent of table.parents) join(rootName(parent), rootName(table.relation))
  }
  const reached = new Set(named.map((table) => quoteRelation(rootOf(known, table).relation)))
  for (const name of reached) for (const next of neighbours.get(name) ?? []) reached.add(next)
  return reached
}

/** A partition's rows are those of its parent, where that is taken. */
function leaveOutPartitions(known: ReadonlyMap<string, GraphTable>, reached: ReadonlySet<string>) {
  const members = new Set<string>()
  const notes: string[] = []
  for (const name of [...reached].sort()) {
    const table = known.get(name) as GraphTable
    const above = ancestorsOf(known, table).find((ancestor) => reached.has(quoteRelation(ancestor.relation)))
    if (above === undefined) members.add(name)
    else
      notes.push(
        `${displayRelation(table.relation)} is a partition of ${displayRelation(above.relation)}, which holds its rows`,
      )
  }
  return { members, notes }
}

function ancestorsOf(known: ReadonlyMap<string, GraphTable>, table: GraphTable): readonly GraphTable[] {
  const ancestors: GraphTable[] = []
  for (let one: GraphTable | undefined = table; one?.isPartition === true; ) {
    const [parent]: readonly RelationName[] = one.parents
    one = parent === undefined ? undefined : known.get(quoteRelation(parent))
    if (one !== undefined) ancestors.push(one)
  }
  return ancestors
}

function childNotes(
  graph: TableGraph,
  known: ReadonlyMap<string, GraphTable>,
  members: ReadonlySet<string>,
): readonly string[] {
  return graph.tables.flatMap(({ relation, parents, isPartition }) => {
    if (isPartition || members.has(quoteRelation(relation))) return []
    const parent = parents.find((one) => members.has(quoteRelation(one)) && known.has(quoteRelation(one)))
    if (parent === undefined) return []
    return [
      `${displayRelation(relation)} inherits from ${displayRelation(parent)} and is not taken: its rows are not in the set`,
    ]
  })
}

/** Keys of a partition whose parent is a member are those of the parent, or its own and lost with it: they are left out. */
function sortKeys(keys: readonly SetKey[], members: ReadonlySet<string>): SetPlan['keys'] {
  const isMember = (relation: RelationName) => members.has(quoteRelation(relation))
  return {
    inside: keys.filter((key) => isMember(key.table) && isMember(key.references)),
    outgoing: keys.filter((key) => isMember(key.table) && !isMember(key.references)),
    incoming: keys.filter((key) => !isMember(key.table) && isMember(key.references)),
  }
}

function referencesOf(keys: readonly SetKey[]): ReadonlyMap<string, ReadonlySet<string>> {
  const references = new Map<string, Set<string>>()
  for (const { table, references: to } of keys) {
    const from = quoteRelation(table)
    references.set(from, (references.get(from) ?? new Set()).add(quoteRelation(to)))
  }
  return references
}
