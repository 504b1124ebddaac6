/** SQL that pairs rows of the original table with those of its recovered copy: by key, or by their whole content. */
import type { RelationName } from '#lib/kernel/index.ts'
import { quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'

/** A row's content as text: exact, and there for every type, with or without an equality operator. */
export function bodyOf(alias: string, columns: readonly string[]): string {
  return `ROW(${columns.map((column) => `${alias}.${quoteIdentifier(column)}`).join(', ')})::text`
}

export function joinOn(left: string, right: string, key: readonly string[]): string {
  return key.map((column) => `${left}.${quoteIdentifier(column)} = ${right}.${quoteIdentifier(column)}`).join(' AND ')
}

/** Rows of tables that inherit from it are not its own; those of its partitions are. */
export function rowsOf(relation: RelationName, isPartitioned: boolean): string {
  return `${isPartitioned ? '' : 'ONLY '}${quoteRelation(relation)}`
}

export interface Pairing {
  /** What is read as the original: a table with its words, or a sub-select. */
  readonly original: string
  readonly recovered: string
  /** Columns that are compared. */
  readonly columns: readonly string[]
  /** Columns that say which one of several alike comes first; the same in each use. */
  readonly order: readonly string[]
}

/** `body`, `copy` (1, 2, … among alike) and every column of the source, under the alias that the caller gives. */
export function numbered(source: string, columns: readonly string[], order: readonly string[], extra = 's.*'): string {
  const body = `${bodyOf('s', columns)} COLLATE "C"`
  const place = order.length === 0 ? '' : ` ORDER BY ${bodyOf('s', order)} COLLATE "C"`
  return (
    `(SELECT ${extra}, ${body} AS "backstop body", ` +
    `row_number() OVER (PARTITION BY ${body}${place}) AS "backstop copy" FROM ${source} s)`
  )
}

export const SAME_COPY = 'o."backstop body" = r."backstop body" AND o."backstop copy" = r."backstop copy"'

/** Where a row of the original lies, also in a partitioned table. */
export const PLACE = 's.tableoid AS "backstop table", s.ctid AS "backstop place"'
export const SAME_PLACE = 't.tableoid = p."backstop table" AND t.ctid = p."backstop place"'
