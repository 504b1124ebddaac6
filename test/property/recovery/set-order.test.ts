/** The order of a set's tables, over random references. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { orderByReference } from '#lib/recovery/set/order.ts'

const NODES = 12
const graphs = fc.array(fc.tuple(fc.nat(NODES - 1), fc.nat(NODES - 1)), { maxLength: 40 }).map((edges) => {
  const references = new Map<string, Set<string>>()
  for (const [from, to] of edges) references.set(`t${from}`, (references.get(`t${from}`) ?? new Set()).add(`t${to}`))
  return { nodes: Array.from({ length: NODES }, (_, node) => `t${node}`), references }
})

/** By walking, which has nothing in common with how the order is made. */
function reaches(references: ReadonlyMap<string, ReadonlySet<string>>, from: string, to: string): boolean {
  const seen = new Set(references.get(from))
  for (const node of seen) for (const next of references.get(node) ?? []) seen.add(next)
  return seen.has(to)
}

test('each table once, after all that it refers to but those of its own circle; circles are named and stand together', () => {
  fc.assert(
    fc.property(graphs, ({ nodes, references }) => {
      const { order, circles } = orderByReference(nodes, references)
      expect(order.toSorted()).toEqual(nodes.toSorted())
      const circleOf = (node: string) => circles.find((circle) => circle.includes(node))
      for (const [from, targets] of references) {
        for (const to of targets) {
          const isTogether = from === to || (reaches(references, to, from) && reaches(references, from, to))
          expect(from === to || circleOf(from)?.includes(to) === true).toBe(isTogether)
          if (!isTogether) expect(order.indexOf(to)).toBeLessThan(order.indexOf(from))
        }
      }
      for (const circle of circles) {
        const places = circle.map((node) => order.indexOf(node)).toSorted((left, right) => left - right)
        expect((places.at(-1) ?? 0) - (places[0] ?? 0)).toBe(circle.length - 1)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('the order does not depend on the order in which references are given', () => {
  fc.assert(
    fc.property(graphs, ({ nodes, references }) => {
      const turned = new Map([...references].reverse().map(([from, to]) => [from, new Set([...to].reverse())] as const))
      expect(orderByReference([...nodes].reverse(), turned)).toEqual(orderByReference(nodes, references))
    }),
  )
})
