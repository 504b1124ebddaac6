/** Whether a WHERE clause selects rows, or lets all of them through. */
import type { ColumnRef, Node } from 'libpg-query'
import { constantOf } from './constant.ts'
import { raise, type Walk } from './facts.ts'
import type { Scope } from './model.ts'
import { fieldsOf, kindOf, textOf, textsOf } from './tree/node.ts'

/** How a condition depends on the row that it is asked for. */
type Dependence = 'row' | 'perhaps' | 'none'

/**
 * Note a missing, constant or weak condition, and say how much the write reaches.
 *
 * Invariants: no condition, a condition that is true by its text, or one in which no column of the target takes part is
 *             `all`. A condition that may let every row through for some value (a parameter, a pattern) stays `filtered` with a
 *             HIGH finding: then the measured impact decides.
 */
export function noteSelectivity(
  verb: 'UPDATE' | 'DELETE' | 'MERGE',
  where: Node | undefined,
  others: readonly Node[] | undefined,
  walk: Walk,
): Scope {
  const code = `unscoped-${verb.toLowerCase()}`
  if (where === undefined) {
    raise(walk, code, 'CRITICAL', `${verb} without WHERE reaches every row`)
    return 'all'
  }
  if (kindOf(where) === 'CurrentOfExpr') return 'filtered'
  const constant = constantOf(where)
  if (constant === false || constant === null) return 'filtered'
  if (constant !== undefined) {
    raise(walk, 'tautology', 'CRITICAL', `the condition of ${verb} is true for every row`)
    return 'all'
  }
  const alias = walk.scope.ranges[0]?.alias ?? ''
  const dependence = dependenceOf(where, alias, (others?.length ?? 0) > 0)
  if (dependence === 'none') {
    raise(walk, code, 'CRITICAL', `no column of the target takes part in the condition of ${verb}`)
    return 'all'
  }
  if (dependence === 'perhaps') raise(walk, 'uncertain-scope', 'HIGH', UNCERTAIN)
  noteWeakArms(where, alias, walk)
  return 'filtered'
}

const UNCERTAIN = 'only a sub-select may tie the condition to the row; it may hold for all rows or for none'

/** A part of a disjunction that no row decides, and patterns that match everything. */
function noteWeakArms(where: Node, alias: string, walk: Walk): void {
  const logic = fieldsOf(where, 'BoolExpr')
  if (logic?.boolop === 'AND_EXPR') {
    const weak = (logic.args ?? []).filter((arg) => constantOf(arg) !== true)
    if (weak.every((arg) => isMatchAll(arg))) raiseWeak(walk)
    for (const arg of weak) noteWeakDisjunction(arg, alias, walk)
  } else {
    if (isMatchAll(where)) raiseWeak(walk)
    noteWeakDisjunction(where, alias, walk)
  }
}

function raiseWeak(walk: Walk): void {
  raise(walk, 'weak-filter', 'HIGH', 'the pattern of the condition matches everything but NULL')
}

function noteWeakDisjunction(node: Node, alias: string, walk: Walk): void {
  const logic = fieldsOf(node, 'BoolExpr')
  if (logic?.boolop !== 'OR_EXPR') return
  for (const arg of logic.args ?? []) {
    if (isMatchAll(arg)) raiseWeak(walk)
    const isOpen = dependenceOf(arg, alias, false) === 'none' && constantOf(arg) === undefined
    if (isOpen)
      raise(walk, 'open-condition', 'HIGH', 'one side of an OR does not depend on the row: it may let all rows through')
  }
}

const PATTERN_KINDS = new Set(['AEXPR_LIKE', 'AEXPR_ILIKE', 'AEXPR_SIMILAR', 'AEXPR_OP'])
const ANY_TEXT = /^%+$/
const ANY_TEXT_EXPRESSION = /^\^?(\.\*)?\$?$/

function isMatchAll(node: Node): boolean {
  const expression = fieldsOf(node, 'A_Expr')
  const operator = textsOf(expression?.name).at(-1) ?? ''
  if (!PATTERN_KINDS.has(expression?.kind ?? '') || operator.startsWith('!')) return false
  if (expression?.kind === 'AEXPR_OP' && !operator.startsWith('~')) return false
  const isLike = operator.startsWith('~~') || expression?.kind !== 'AEXPR_OP'
  const similar = fieldsOf(expression?.rexpr, 'FuncCall')?.args?.[0]
  const text = constantOf(similar ?? expression?.rexpr)
  return typeof text === 'string' && (isLike ? ANY_TEXT : ANY_TEXT_EXPRESSION).test(text)
}

/** Whether a column of the target takes part in an expression; columns of joined items alone do not count. */
function dependenceOf(node: Node, alias: string, hasOthers: boolean): Dependence {
  let found: Dependence = 'none'
  const pending: { readonly value: unknown; readonly isInner: boolean }[] = [{ value: node, isInner: false }]
  for (let here = pending.pop(); here !== undefined; here = pending.pop()) {
    const { value, isInner } = here
    if (typeof value !== 'object' || value === null) continue
    const ref = (value as { ColumnRef?: ColumnRef }).ColumnRef
    if (ref !== undefined) {
      const dependence = dependenceOfRef(ref, alias, isInner)
      if (dependence === 'row') return 'row'
      if (dependence === 'perhaps') found = 'perhaps'
      continue
    }
    const inSelect = isInner || (value as { fromClause?: unknown }).fromClause !== undefined
    for (const child of Object.values(value)) pending.push({ value: child, isInner: inSelect })
  }
  return found === 'perhaps' && hasOthers ? 'row' : found
}

function dependenceOfRef(ref: ColumnRef, alias: string, isInner: boolean): Dependence {
  const fields = ref.fields ?? []
  if (fields.length === 1) return isInner ? 'perhaps' : 'row'
  const names = fields.slice(0, -1).map((field) => textOf(field))
  return names.includes(alias) ? 'row' : 'none'
}
