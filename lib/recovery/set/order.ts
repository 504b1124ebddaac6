/** Puts tables into an order in which each follows those that it refers to, and finds the circles in which there is none. */

export interface Ordered {
  /** Every node once; nodes of a circle stand together. */
  readonly order: readonly string[]
  /** Of two nodes or more. */
  readonly circles: readonly (readonly string[])[]
}

interface Visit {
  readonly index: number
  low: number
}

/**
 * Strongly connected components by Tarjan's algorithm, without recursion: references may form long chains.
 *
 * Effects:    pure
 * Invariants: the same for the same nodes and edges, in whatever order the edges come
 */
export function orderByReference(
  nodes: readonly string[],
  references: ReadonlyMap<string, ReadonlySet<string>>,
): Ordered {
  const visits = new Map<string, Visit>()
  const open: string[] = []
  const isOpen = new Set<string>()
  const components: string[][] = []
  const targetsOf = (node: string) => [...(references.get(node) ?? [])].filter((to) => to !== node).sort()
  const enter = (node: string) => {
    visits.set(node, { index: visits.size, low: visits.size })
    open.push(node)
    isOpen.add(node)
    return { node, targets: targetsOf(node) }
  }
  for (const start of [...nodes].sort()) {
    if (visits.has(start)) continue
    const path = [enter(start)]
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const visit = visits.get(top.node) as Visit
      const next = top.targets.shift()
      if (next !== undefined) {
        const seen = visits.get(next)
        if (seen === undefined) path.push(enter(next))
        else if (isOpen.has(next)) visit.low = Math.min(visit.low, seen.index)
        continue
      }
      path.pop()
      const above = path.at(-1)
      const aboveVisit = above === undefined ? undefined : visits.get(above.node)
      if (aboveVisit !== undefined) aboveVisit.low = Math.min(aboveVisit.low, visit.low)
      if (visit.low === visit.index) components.push(close(top.node, open, isOpen))
    }
  }
  return { order: components.flat(), circles: components.filter(({ length }) => length > 1) }
}

function close(root: string, open: string[], isOpen: Set<string>): string[] {
  const component = open.splice(open.lastIndexOf(root))
  for (const node of component) isOpen.delete(node)
  return component.sort()
}
