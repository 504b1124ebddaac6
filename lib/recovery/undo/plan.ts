/** From a pre-image and the rows as they are now to what is set back and what stands against it. Pure. */
import type { UndoAction, UndoConflict, UndoConflictPolicy, UndoRow } from '#lib/ports/index.ts'
import type { CurrentRow, CurrentTable } from './current-rows.ts'
import type { ChangedRow, RowValues, UndoTable } from './model.ts'

export interface UndoStep {
  readonly action: UndoAction
  /** Of the row as it is now; absent for one that comes back. */
  readonly place?: CurrentRow
  /** The row as it is now; null: it is not there. */
  readonly from: RowValues | null
  /** The row as it was; null: it was not there. */
  readonly to: RowValues | null
}

export interface TableSteps {
  readonly table: UndoTable
  readonly isPartitioned: boolean
  readonly steps: readonly UndoStep[]
}

export interface UndoPlan {
  /** False: conflicts stand against it and the policy says so; nothing may be changed. */
  readonly isAllowed: boolean
  readonly tables: readonly TableSteps[]
  readonly rows: readonly UndoRow[]
  readonly conflictCount: number
}

function actionOf({ before, after }: ChangedRow): UndoAction {
  if (after === null) return 'reinsert'
  return before === null ? 'remove' : 'restore'
}

function differing({ columns }: UndoTable, left: RowValues, right: RowValues): readonly string[] {
  return columns.filter((_, index) => left[index] !== right[index]).map((column) => column.name)
}

/** `leaving`: places of rows that this undo removes, which stand in nobody's way. */
function findConflict(
  table: UndoTable,
  { after }: ChangedRow,
  now: CurrentRow | undefined,
  leaving: ReadonlySet<string>,
): UndoConflict | undefined {
  if (after === null) {
    return now === undefined || leaving.has(placeText(now)) ? undefined : { kind: 'exists', columns: [] }
  }
  if (now === undefined) return { kind: 'missing', columns: [] }
  const columns = differing(table, now.values, after)
  return columns.length === 0 ? undefined : { kind: 'changed', columns }
}

const placeText = ({ tableOid, ctid }: CurrentRow): string => `${tableOid}${ctid}`

function shownKey(table: UndoTable, values: RowValues): UndoRow['key'] {
  const names = table.key?.map((one) => one.name) ?? table.columns.map((column) => column.name)
  return Object.fromEntries(
    names.map((name) => [name, values[table.columns.findIndex((column) => column.name === name)] ?? null]),
  )
}

function shownColumns(table: UndoTable, { before, after }: ChangedRow): UndoRow['columns'] {
  const entries = table.columns.map(({ name }, index) => {
    return [name, { from: after?.[index] ?? null, to: before?.[index] ?? null }] as const
  })
  const isWhole = before === null || after === null
  return Object.fromEntries(isWhole ? entries : entries.filter(([, { from, to }]) => from !== to))
}

function planTable({ table, current, isPartitioned }: CurrentTable) {
  const leaving = new Set(
    table.rows.flatMap(({ before, after }, index) => {
      const now = current[index]
      return before === null && after !== null && now !== undefined ? [placeText(now)] : []
    }),
  )
  const judged = table.rows.map((row, index) => {
    const now = current[index]
    return { row, now, conflict: findConflict(table, row, now, leaving) }
  })
  const steps = judged.flatMap(({ row, now, conflict }): UndoStep[] => {
    if (conflict !== undefined) return []
    const place = row.after === null || now === undefined ? {} : { place: now }
    return [{ action: actionOf(row), from: row.after, to: row.before, ...place }]
  })
  const rows = judged.map(({ row, conflict }): UndoRow => {
    const shown = { relation: table.relation, action: actionOf(row), columns: shownColumns(table, row) }
    const key = shownKey(table, row.after ?? row.before ?? [])
    return { ...shown, key, ...(conflict === undefined ? {} : { conflict }) }
  })
  return { steps: { table, isPartitioned, steps }, rows }
}

export function planUndo(tables: readonly CurrentTable[], conflictPolicy: UndoConflictPolicy): UndoPlan {
  const planned = tables.map(planTable)
  const rows = planned.flatMap((one) => one.rows)
  const conflictCount = rows.filter((row) => row.conflict !== undefined).length
  return {
    isAllowed: conflictCount === 0 || conflictPolicy === 'skip',
    tables: planned.map((one) => one.steps).filter((one) => one.steps.length > 0),
    rows,
    conflictCount,
  }
}
