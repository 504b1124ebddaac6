import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isInRange, planSortRange } from '#lib/adapters/aws/record-store/sort-range.ts'

const of = (query: { sortFrom?: string; sortTo?: string; sortPrefix?: string }) =>
  planSortRange({ partition: 'p', ...query })

describe('bounds of a query as one range', () => {
  it.each([
    [{}, { isToExcluded: false }],
    [{ sortFrom: 'a' }, { isToExcluded: false, from: 'a' }],
    [{ sortPrefix: 'a#' }, { isToExcluded: true, from: 'a#', to: 'a$' }],
    [{ sortPrefix: 'a\ud7ff' }, { isToExcluded: true, from: 'a\ud7ff', to: 'a\ue000' }],
    [{ sortPrefix: 'a\u{10ffff}' }, { isToExcluded: true, from: 'a\u{10ffff}', to: 'b' }],
    [{ sortPrefix: '\u{10ffff}' }, { isToExcluded: false, from: '\u{10ffff}' }],
    [
      { sortPrefix: 'b', sortFrom: 'a', sortTo: 'bc' },
      { isToExcluded: false, from: 'b', to: 'bc' },
    ],
    [{ sortFrom: 'b', sortTo: 'a' }, undefined],
    [{ sortPrefix: 'a', sortFrom: 'c' }, undefined],
    [{ sortPrefix: 'x'.repeat(1_024) }, undefined],
  ])('%j', (query, range) => {
    expect(of(query)).toEqual(range)
  })

  it('holds exactly the keys that the bounds mean, compared by UTF-8 bytes', () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', '\u007f', '\ud7ff', '\ue000', '\u{10ffff}'), maxLength: 4 })
    const bound = fc.option(
      key.filter((text) => text !== ''),
      { nil: undefined },
    )
    const compare = (left: string, right: string) => Buffer.compare(Buffer.from(left), Buffer.from(right))
    fc.assert(
      fc.property(key, bound, bound, bound, (sort, sortFrom, sortTo, sortPrefix) => {
        const bounds = { ...(sortFrom && { sortFrom }), ...(sortTo && { sortTo }), ...(sortPrefix && { sortPrefix }) }
        const range = of(bounds)
        const isMeant =
          (sortFrom === undefined || compare(sort, sortFrom) >= 0) &&
          (sortTo === undefined || compare(sort, sortTo) <= 0) &&
          (sortPrefix === undefined || sort.startsWith(sortPrefix))
        expect(range !== undefined && isInRange(sort, range)).toBe(isMeant)
      }),
    )
  })
})
