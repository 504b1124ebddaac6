/** Turns the versions that a transaction took and made into rows that were inserted, updated or deleted. Pure. */
import { displayRelation } from '#lib/kernel/index.ts'
import type { DescribedTable } from './describe-table.ts'
import type { SeenRows } from './look.ts'
import type { ChangedRow, RowValues, UndoTable } from './model.ts'
import { sameRelation } from './model.ts'

export interface SeenTable {
  readonly table: DescribedTable
  readonly seen: SeenRows
}

const textOf = (values: RowValues): string => JSON.stringify(values)

/** The values of a row's key as one text. */
export function keyTextOf({ columns, key }: Pick<UndoTable, 'columns' | 'key'>, values: RowValues): string {
  if (key === null) return textOf(values)
  return textOf(key.map(({ name }) => values[columns.findIndex((column) => column.name === name)] ?? null))
}

/** Rows of equal keys are one row, before and after; what came out as it was is no change. */
function pair(shape: Pick<UndoTable, 'columns' | 'key'>, { before, after }: SeenRows): readonly ChangedRow[] {
  const open = new Map<string, RowValues[]>()
  for (const values of before) {
    const key = keyTextOf(shape, values)
    open.set(key, [...(open.get(key) ?? []), values])
  }
  const rows: ChangedRow[] = []
  for (const values of after) {
    const old = open.get(keyTextOf(shape, values))?.shift() ?? null
    if (old === null || textOf(old) !== textOf(values)) rows.push({ before: old, after: values })
  }
  for (const values of [...open.values()].flat()) rows.push({ before: values, after: null })
  return rows
}

/** Partitions are written through their table at the top, where a row that moved from one to another is one row. */
export function pairRows(seen: readonly SeenTable[]): readonly UndoTable[] {
  const roots = new Map(seen.map(({ table }) => [displayRelation(table.root), table]))
  return [...roots.values()].flatMap((first) => {
    const leaves = seen.filter(({ table }) => sameRelation(table.root, first.root)).map((one) => one.seen)
    const shape = { relation: first.root, columns: first.columns, key: first.key }
    const all = { before: leaves.flatMap((one) => one.before), after: leaves.flatMap((one) => one.after) }
    const rows = pair(shape, all)
    return rows.length === 0 ? [] : [{ ...shape, rows }]
  })
}
