/** The statements of one undo. Each phase is one statement over all its tables, so that foreign keys are checked when all is done. Pure. */
import { quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { UndoAction } from '#lib/ports/index.ts'
import { arraysFrom, cell, cells, columnArrays, tableReference } from './current-rows.ts'
import { valueSql } from './describe-table.ts'
import type { RowValues } from './model.ts'
import type { TableSteps, UndoStep } from './plan.ts'

export interface BuiltStatement {
  readonly sql: string
  readonly parameters: readonly (readonly (string | null)[])[]
}

/**
 * In which order rows come back, change and go.
 *
 * `reinsert-first` keeps what refers to a row from ever missing it; `remove-first` frees the keys that rows to come back need;
 * `replace` does so for changed rows too, whose keys trade places. None of them can do harm: what came of it is compared with the
 * plan, and rolled back where it differs.
 */
export const STRATEGIES = ['reinsert-first', 'remove-first', 'replace'] as const
export type Strategy = (typeof STRATEGIES)[number]

type Phase = 'insert' | 'update' | 'delete'
const PHASES: Readonly<Record<Strategy, readonly Phase[]>> = {
  'reinsert-first': ['insert', 'update', 'delete'],
  'remove-first': ['delete', 'update', 'insert'],
  replace: ['delete', 'insert'],
}

/** Which steps a phase carries out: replacing is removing and coming back. */
const ACTIONS: Readonly<Record<Phase, UndoAction>> = { insert: 'reinsert', update: 'restore', delete: 'remove' }

function stepsOf({ steps }: TableSteps, phase: Phase, strategy: Strategy): readonly UndoStep[] {
  return steps.filter(({ action }) => action === ACTIONS[phase] || (strategy === 'replace' && action === 'restore'))
}

function buildInsert({ table }: TableSteps, steps: readonly UndoStep[], first: number) {
  const { columns } = table
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ')
  const values = columns.map((column, index) => valueSql(column, cell(index))).join(', ')
  const parameters = columnArrays(
    steps.map(({ to }) => to ?? []),
    columns.length,
  )
  const sql = `INSERT INTO ${quoteRelation(table.relation)} (${names}) OVERRIDING SYSTEM VALUE SELECT ${values}
    FROM unnest(${arraysFrom(first, columns.length)}) AS u(${cells(columns.length)})`
  return { sql, parameters }
}

/** Row and place: what was found and is held. */
function places(steps: readonly UndoStep[]): (string | null)[][] {
  return [steps.map(({ place }) => place?.ctid ?? null), steps.map(({ place }) => place?.tableOid ?? null)]
}

function placeMatch(first: number): string {
  return `t.ctid = u.ctid AND t.tableoid = u.oid AND t.ctid = ANY ($${first}::tid[])`
}

const placeArrays = (first: number): string => `$${first}::tid[], $${first + 1}::oid[]`

function changedColumns({ table }: TableSteps, steps: readonly UndoStep[]): readonly number[] {
  const isChanged = (index: number) => steps.some(({ from, to }) => from?.[index] !== to?.[index])
  // GENERATED ALWAYS AS IDENTITY takes no value in an UPDATE.
  return table.columns.flatMap(({ identity }, index) => (identity !== 'a' && isChanged(index) ? [index] : []))
}

function buildUpdate(one: TableSteps, steps: readonly UndoStep[], first: number): BuiltStatement | undefined {
  const changed = changedColumns(one, steps)
  if (changed.length === 0) return undefined
  const sets = changed.map((index, position) => {
    const column = one.table.columns[index] as TableSteps['table']['columns'][number]
    return `${quoteIdentifier(column.name)} = ${valueSql(column, cell(position))}`
  })
  const values: RowValues[] = steps.map(({ to }) => changed.map((index) => to?.[index] ?? null))
  const sql = `UPDATE ${tableReference(one.table.relation, one.isPartitioned)} AS t SET ${sets.join(', ')}
    FROM unnest(${placeArrays(first)}, ${arraysFrom(first + 2, changed.length)}) AS u(ctid, oid, ${cells(changed.length)})
    WHERE ${placeMatch(first)}`
  return { sql, parameters: [...places(steps), ...columnArrays(values, changed.length)] }
}

function buildDelete(one: TableSteps, steps: readonly UndoStep[], first: number): BuiltStatement {
  const sql = `DELETE FROM ${tableReference(one.table.relation, one.isPartitioned)} AS t
    USING unnest(${placeArrays(first)}) AS u(ctid, oid) WHERE ${placeMatch(first)}`
  return { sql, parameters: places(steps) }
}

const BUILD = { insert: buildInsert, update: buildUpdate, delete: buildDelete } as const

function buildPhase(tables: readonly TableSteps[], phase: Phase, strategy: Strategy): BuiltStatement | undefined {
  const parts: string[] = []
  const parameters: (readonly (string | null)[])[] = []
  for (const one of tables) {
    const steps = stepsOf(one, phase, strategy)
    const built = steps.length === 0 ? undefined : BUILD[phase](one, steps, parameters.length + 1)
    if (built === undefined) continue
    parts.push(`p${parts.length} AS (${built.sql})`)
    parameters.push(...built.parameters)
  }
  return parts.length === 0 ? undefined : { sql: `WITH ${parts.join(',\n')} SELECT 1`, parameters }
}

export function buildStatements(tables: readonly TableSteps[], strategy: Strategy): readonly BuiltStatement[] {
  return PHASES[strategy].flatMap((phase) => buildPhase(tables, phase, strategy) ?? [])
}
