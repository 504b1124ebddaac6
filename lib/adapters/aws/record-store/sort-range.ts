/** The bounds of a query as one inclusive range of sort keys, which is all that DynamoDB takes. */
import type { RecordQuery } from '#lib/ports/index.ts'

/** Compared by UTF-8 bytes; an absent bound is open. */
export interface SortRange {
  readonly from?: string
  readonly to?: string
  /** `to` itself is not meant: it is the first key behind all that begin with the prefix. */
  readonly isToExcluded: boolean
}

/** A partition takes one byte at least. */
const LONGEST_SORT_BYTES = 1_023
const LAST_CODE_POINT = 0x10_ff_ff
const SURROGATES = { first: 0xd8_00, last: 0xdf_ff }

/** undefined: no key can match. */
export function planSortRange({ sortFrom, sortTo, sortPrefix }: RecordQuery): SortRange | undefined {
  if (sortPrefix !== undefined && Buffer.byteLength(sortPrefix) > LONGEST_SORT_BYTES) return undefined
  const from = greatest(sortFrom, sortPrefix)
  const behind = sortPrefix === undefined ? undefined : pastPrefix(sortPrefix)
  const isToExcluded = behind !== undefined && (sortTo === undefined || compareBytes(behind, sortTo) <= 0)
  const to = isToExcluded ? behind : sortTo
  const range = { isToExcluded, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
  if (from !== undefined && to !== undefined && compareBytes(from, to) > 0) return undefined
  return range
}

export function isInRange(sort: string, { from, to, isToExcluded }: SortRange): boolean {
  if (from !== undefined && compareBytes(sort, from) < 0) return false
  if (to === undefined) return true
  const order = compareBytes(sort, to)
  return order < 0 || (order === 0 && !isToExcluded)
}

function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right))
}

function greatest(left: string | undefined, right: string | undefined): string | undefined {
  if (left === undefined || right === undefined) return left ?? right
  return compareBytes(left, right) >= 0 ? left : right
}

/** The first string behind all that begin with the prefix; undefined when nothing can be behind them. */
function pastPrefix(prefix: string): string | undefined {
  const points = [...prefix].map((character) => character.codePointAt(0) as number)
  while (points.at(-1) === LAST_CODE_POINT) points.pop()
  const last = points.pop()
  if (last === undefined) return undefined
  const next = last + 1 === SURROGATES.first ? SURROGATES.last + 1 : last + 1
  return String.fromCodePoint(...points, next)
}
