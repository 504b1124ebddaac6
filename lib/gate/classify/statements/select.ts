/** SELECT, VALUES and TABLE, and the WITH clause that every data statement shares. */
import type { CommonTableExpr, LockingClause, SelectStmt, WithClause } from 'libpg-query'
import { addTarget, needTransaction, raise, type Walk } from '../facts.ts'
import { innerScope, withCte } from '../scope.ts'
import { type Fields, fieldsOf, kindOf, relationOf } from '../tree/node.ts'
import { visit, visitChildren } from '../walk.ts'
import { visitFrom } from './from-items.ts'

const READ_HERE = new Set(['withClause', 'fromClause', 'intoClause', 'lockingClause', 'larg', 'rarg', 'op'])

/** Walk a SELECT in a scope of its own. */
export function visitSelect(select: SelectStmt, outer: Walk): void {
  const walk = enterWith(select.withClause, { ...outer, scope: innerScope(outer.scope) })
  if (select.larg !== undefined) visitSelect(select.larg, walk)
  if (select.rarg !== undefined) visitSelect(select.rarg, walk)
  visitFrom(select.fromClause, walk)
  visitChildren('SelectStmt', select as Fields, walk, READ_HERE)
  visitLocking(select, walk)
  const into = select.intoClause?.rel
  if (into === undefined) return
  addTarget(walk, relationOf(into), 'create')
  raise(walk, 'select-into', 'HIGH', 'SELECT INTO creates a table')
  needTransaction(walk, isTemporary(into) ? 'never' : 'write')
}

/** True for tables that live in the session: the next caller of the same connection would get them. */
export function isTemporary(table: { readonly relpersistence?: string; readonly schemaname?: string }): boolean {
  return table.relpersistence === 't' || (table.schemaname?.startsWith('pg_temp') ?? false)
}

function visitLocking(select: SelectStmt, walk: Walk): void {
  for (const node of select.lockingClause ?? []) {
    const clause = fieldsOf(node, 'LockingClause')
    if (clause !== undefined) noteLocks(clause, walk)
  }
}

function noteLocks(clause: LockingClause, walk: Walk): void {
  raise(walk, 'row-lock', 'HIGH', 'FOR UPDATE and FOR SHARE write row locks that others wait for')
  needTransaction(walk, 'write')
  const named = new Set((clause.lockedRels ?? []).map((node) => fieldsOf(node, 'RangeVar')?.relname))
  for (const range of walk.scope.ranges) {
    if (named.size > 0 && !named.has(range.alias)) continue
    for (const relation of range.relations) addTarget(walk, relation, 'lock')
  }
}

/** Walk the CTEs of a statement and return the walk in which they are known. */
export function enterWith(clause: WithClause | undefined, walk: Walk): Walk {
  const ctes = (clause?.ctes ?? []).map((node) => fieldsOf(node, 'CommonTableExpr')).filter((cte) => cte !== undefined)
  const isRecursive = clause?.recursive === true
  let known = walk
  if (isRecursive) for (const cte of ctes) known = withName(known, cte)
  for (const cte of ctes) {
    visitCte(cte, known)
    if (!isRecursive) known = withName(known, cte)
  }
  return known
}

function withName(walk: Walk, cte: CommonTableExpr): Walk {
  return { ...walk, scope: withCte(walk.scope, cte.ctename ?? '') }
}

function visitCte(cte: CommonTableExpr, walk: Walk): void {
  const kind = kindOf(cte.ctequery)
  if (kind !== undefined && kind !== 'SelectStmt') {
    raise(walk, 'data-modifying-cte', 'LOW', `a WITH clause holds a statement that writes`)
  }
  const beside = { ...walk, scope: { ranges: [], ctes: walk.scope.ctes, outer: walk.scope.outer } }
  visit(cte.ctequery, beside)
  visit(cte.cycle_clause?.cycle_mark_value, beside)
  visit(cte.cycle_clause?.cycle_mark_default, beside)
}
