/** Column references as column uses, resolved as far as the tree alone decides. */
import type { ColumnRef, Node, RangeVar } from 'libpg-query'
import { addColumn, type Walk } from './facts.ts'
import type { WrittenName } from './model.ts'
import { findQualified, findRange, onlyCandidate, type Range } from './scope.ts'
import { kindOf, relationOf, textOf } from './tree/node.ts'

/**
 * Note what a column reference reads.
 *
 * Invariants: a name that is the alias of a table may be its whole row, so it counts as `*` of that table and as a column;
 *             what comes from a sub-select, a CTE or a function was noted where that reads it
 */
export function noteColumnRef(ref: ColumnRef, walk: Walk): void {
  const fields = ref.fields ?? []
  const last = fields.at(-1)
  const name = kindOf(last) === 'A_Star' ? '*' : (textOf(last) ?? '*')
  if (fields.length === 1) noteUnqualified(name, walk)
  else noteQualified(fields, name, walk)
}

function noteUnqualified(name: string, walk: Walk): void {
  if (name === '*') {
    for (const range of walk.scope.ranges) if (range.isQualifiedOnly !== true) noteAll(range, '*', walk)
    return
  }
  const range = findRange(walk.scope, name)
  if (range !== undefined) noteAll(range, '*', walk)
  const relation = onlyCandidate(walk.scope)
  if (relation === 'many') addColumn(walk, name, 'read')
  else if (relation !== 'none') addColumn(walk, name, 'read', relation)
}

function noteQualified(fields: readonly Node[], name: string, walk: Walk): void {
  const [first = '', second = ''] = fields.map((field) => textOf(field) ?? '*')
  const isSchemaWritten = fields.length > 2
  const schema = isSchemaWritten ? (fields.length > 3 ? second : first) : undefined
  const table = isSchemaWritten ? (textOf(fields.at(-2)) ?? '') : first
  const written = schema === undefined ? undefined : findQualified(walk.scope, schema, table)
  const range = written ?? findRange(walk.scope, isSchemaWritten ? first : table)
  if (range === undefined) {
    addColumn(walk, name, 'read')
    return
  }
  noteAll(range, isSchemaWritten && written === undefined ? second : name, walk)
}

function noteAll(range: Range, name: string, walk: Walk): void {
  if (name !== '*' && range.relations.length > 1) addColumn(walk, name, 'read')
  else for (const relation of range.relations) addColumn(walk, name, 'read', relation)
}

/** Note the columns that a list of `SET` or `INSERT` targets writes; an empty list means all of them. */
export function noteWritten(names: readonly string[], table: RangeVar, walk: Walk): void {
  const relation: WrittenName = relationOf(table)
  if (names.length === 0) addColumn(walk, '*', 'write', relation)
  for (const name of names) addColumn(walk, name, 'write', relation)
}
