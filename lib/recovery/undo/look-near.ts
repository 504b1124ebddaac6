/**
 * Finds the rows that a transaction has changed without reading the whole table: at the places where they are supposed to be.
 *
 * Each row that is found is proven to be changed as in look.ts. That there are no others the transaction's own counters prove:
 * they count every version that it took or made, and more often than once what it touched twice, but never less often. As many
 * proven versions as they count are all. Any other number proves nothing, and the table is read.
 */
import { quoteIdentifier } from '#lib/kernel/index.ts'
import type { RowPlace, TouchedTable } from '#lib/ports/index.ts'
import { arraysFrom, cell, cells, columnArrays } from './current-rows.ts'
import type { DescribedTable } from './describe-table.ts'
import { valueSql } from './describe-table.ts'
import { type LookLimits, madeRows, onlyLeaf, type Place, type SeenRows, type Sides, takenRows } from './look.ts'
import type { RowValues, UndoColumn } from './model.ts'

/** New rows go to the end of a table, unless there is room further up. */
const TAIL_PAGES = 64

/**
 * Undefined where what was found is not shown to be all.
 *
 * Throws: TooMuch; StatementError for what may not be read or takes too long
 */
export async function lookNear(
  sides: Sides,
  table: DescribedTable,
  touched: TouchedTable,
  places: readonly RowPlace[],
  limits: LookLimits,
): Promise<SeenRows | undefined> {
  const taken = touched.updatedRows + touched.deletedRows
  const made = touched.insertedRows + touched.updatedRows
  const before = taken === 0 ? [] : await takenAt(sides, table, places, limits)
  if (before.length !== taken) return undefined
  if (made === 0) return { before, after: [] }
  for (const place of placesOfMade(table, before)) {
    const after = await madeRows(sides, table, limits, place)
    if (after.length === made) return { before, after }
  }
  return undefined
}

async function takenAt(sides: Sides, table: DescribedTable, places: readonly RowPlace[], limits: LookLimits) {
  const ctids = places.filter(({ tableOid }) => tableOid === table.oid).map(({ ctid }) => ctid)
  if (ctids.length === 0) return []
  const seen = await sides.watcher.query<{ ctid: string; xmin: string }>(
    `SELECT t.ctid::text, t.xmin::text FROM ${onlyLeaf(table)} WHERE t.ctid = ANY ($1::tid[])`,
    [ctids],
  )
  return takenRows(sides, table, limits, seen)
}

/** A row that was changed has the key that it had, mostly. */
function placesOfMade(table: DescribedTable, before: readonly RowValues[]): readonly Place[] {
  const tail = { condition: 't.ctid >= ($1::text[])[1]::tid', parameters: [[tailOf(table)]] }
  return before.length === 0 || table.key === null ? [tail] : [sameKeys(table, table.key, before), tail]
}

function tailOf({ pageCount }: DescribedTable): string {
  return `(${Math.max(0, pageCount - TAIL_PAGES)},0)`
}

function sameKeys(table: DescribedTable, key: NonNullable<DescribedTable['key']>, rows: readonly RowValues[]): Place {
  const positions = key.map(({ name }) => table.columns.findIndex((column) => column.name === name))
  const matches = key.map(({ name, operator }, index) => {
    const column = table.columns[positions[index] as number] as UndoColumn
    return `k.${quoteIdentifier(name)} ${operator} ${valueSql(column, cell(index))}`
  })
  const keys = rows.map((row) => positions.map((position) => row[position] ?? null))
  const named = `unnest(${arraysFrom(1, key.length)}) AS u(${cells(key.length)})`
  const found = `SELECT k.ctid FROM ${named} JOIN ${onlyLeaf(table, 'k')} ON ${matches.join(' AND ')}`
  return { condition: `t.ctid = ANY (ARRAY(${found}))`, parameters: columnArrays(keys, key.length) as string[][] }
}
