/** Decides into which ranges of pages a table is cut, so that several sessions can capture it at the same time. */

/** Each range has a part of its own, and a manifest lists all parts. */
const MAX_RANGES = 1_000

/** Pages of a table: from the first up to, and without, the second; null: whatever comes. */
export interface PageRange {
  /** Its place among the table's ranges. */
  readonly index: number
  readonly fromPage: number
  readonly toPage: number | null
}

export const WHOLE_TABLE: PageRange = { index: 0, fromPage: 0, toPage: null }

export interface HeapFacts {
  /** Pages of the table itself. */
  readonly pageCount: number
  /** With the values that are stored beside it. */
  readonly tableBytes: number
}

/**
 * Ranges in the order of the table's pages.
 *
 * Effects:    pure
 * Invariants: together they cover every page once, also pages that the table gets later: the last one has no end
 */
export function planRanges(heap: HeapFacts, rangeBytes: number): readonly PageRange[] {
  const wanted = Math.floor(heap.tableBytes / Math.max(1, rangeBytes))
  const count = Math.max(1, Math.min(wanted, MAX_RANGES, heap.pageCount))
  const startOf = (index: number) => Math.floor((index * heap.pageCount) / count)
  return Array.from({ length: count }, (_, index) => ({
    index,
    fromPage: startOf(index),
    toPage: index === count - 1 ? null : startOf(index + 1),
  }))
}
