/** Finds the rows of a pre-image as they are now, and holds them. */
import { quoteIdentifier, quoteRelation, type RelationName } from '#lib/kernel/index.ts'
import type { DatabaseSession, RowPlace } from '#lib/ports/index.ts'
import { valueSql, valueTexts } from './describe-table.ts'
import type { ChangedRow, RowValues, UndoTable } from './model.ts'
import { keyTextOf } from './pair-rows.ts'

/** Stays where it is while it is held. */
export interface CurrentRow extends RowPlace {
  readonly values: RowValues
}

/** A table of the pre-image as it is now: for each of its rows the current one of the same key, or undefined. */
export interface CurrentTable {
  readonly table: UndoTable
  readonly isPartitioned: boolean
  readonly current: readonly (CurrentRow | undefined)[]
}

export function tableReference(relation: RelationName, isPartitioned: boolean): string {
  // Children of plain inheritance are tables of their own; partitions are reached through the top.
  return `${isPartitioned ? '' : 'ONLY '}${quoteRelation(relation)}`
}

/** One text array per column: `$2::text[], $3::text[]`. */
export function arraysFrom(first: number, count: number): string {
  return Array.from({ length: count }, (_, index) => `$${first + index}::text[]`).join(', ')
}

export function columnArrays(rows: readonly RowValues[], count: number): (string | null)[][] {
  return Array.from({ length: count }, (_, index) => rows.map((row) => row[index] ?? null))
}

export const cell = (index: number): string => `u.c${index}`
export const cells = (count: number): string => Array.from({ length: count }, (_, index) => `c${index}`).join(', ')

function wanted({ before, after }: ChangedRow): RowValues {
  return after ?? before ?? []
}

interface FoundRow {
  readonly n: string
  readonly tableoid: string
  readonly ctid: string
  readonly values: string
}

function listOf(table: UndoTable): string {
  return `t.tableoid::text AS tableoid, t.ctid::text AS ctid, json_build_array(${valueTexts(table.columns).join(', ')})::text AS values`
}

function current({ tableoid, ctid, values }: FoundRow): CurrentRow {
  return { tableOid: tableoid, ctid, values: JSON.parse(values) as RowValues }
}

/** By the key, with the operator of its own index. */
async function findByKey(session: DatabaseSession, { table, isPartitioned }: Shape, hold: string) {
  const key = table.key ?? []
  const positions = key.map(({ name }) => table.columns.findIndex((column) => column.name === name))
  const matches = key.map(({ name, operator }, index) => {
    const column = table.columns[positions[index] as number] as UndoTable['columns'][number]
    return `t.${quoteIdentifier(name)} ${operator} ${valueSql(column, cell(index))}`
  })
  const keys = table.rows.map((row) => positions.map((position) => wanted(row)[position] ?? null))
  const sql = `SELECT u.n::text AS n, ${listOf(table)}
    FROM unnest(${arraysFrom(1, key.length)}) WITH ORDINALITY AS u(${cells(key.length)}, n)
    JOIN ${tableReference(table.relation, isPartitioned)} AS t ON ${matches.join(' AND ')} ${hold}`
  const found = await session.query<FoundRow>(sql, columnArrays(keys, key.length))
  const byPosition = new Map(found.map((row) => [Number(row.n) - 1, current(row)]))
  return table.rows.map((_, index) => byPosition.get(index))
}

/** By the whole content; of equal rows each is given out once. Rows to come back have nothing to be found by. */
async function findByContent(session: DatabaseSession, { table, isPartitioned }: Shape, hold: string) {
  const sought = new Map(table.rows.flatMap(({ after }) => (after === null ? [] : [[JSON.stringify(after), after]])))
  const width = table.columns.length
  const texts = valueTexts(table.columns).join(', ')
  const given = Array.from({ length: width }, (_, index) => cell(index)).join(', ')
  const sql = `SELECT '0' AS n, ${listOf(table)} FROM unnest(${arraysFrom(1, width)}) AS u(${cells(width)})
    JOIN ${tableReference(table.relation, isPartitioned)} AS t ON json_build_array(${texts})::text = json_build_array(${given})::text ${hold}`
  const found = sought.size === 0 ? [] : await session.query<FoundRow>(sql, columnArrays([...sought.values()], width))
  const left = new Map<string, CurrentRow[]>()
  for (const row of found.map(current)) {
    const text = keyTextOf(table, row.values)
    left.set(text, [...(left.get(text) ?? []), row])
  }
  return table.rows.map(({ after }) => (after === null ? undefined : left.get(keyTextOf(table, after))?.shift()))
}

type Shape = Pick<CurrentTable, 'table' | 'isPartitioned'>

/** `isHeld`: wait for whoever changes one of the rows, then keep everybody else from it until the transaction ends. */
export async function readCurrent(session: DatabaseSession, shape: Shape, isHeld: boolean): Promise<CurrentTable> {
  const hold = isHeld ? 'FOR UPDATE OF t' : ''
  const find = shape.table.key === null ? findByContent : findByKey
  return { ...shape, current: await find(session, shape, hold) }
}
