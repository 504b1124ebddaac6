/** The value of an expression where the text alone decides it: literals, and what follows from them. */
import type { A_Expr, BoolTestType, FuncCall, Node } from 'libpg-query'
import { STEADY_FUNCTIONS } from './functions/catalog-functions.ts'
import { fieldsOf, kindOf, textOf, textsOf } from './tree/node.ts'
import { isSameTree } from './tree/same.ts'

/** `undefined` is "not decided by the text"; `null` is SQL's NULL. */
export type Constant = boolean | number | string | null | undefined

/** The value of an expression, as PostgreSQL would compute it for every row; undefined where rows may differ. */
export function constantOf(node: Node | undefined): Constant {
  switch (kindOf(node)) {
    case 'A_Const':
      return literalOf(node)
    case 'TypeCast':
      return castOf(node)
    case 'CollateClause':
      return constantOf(fieldsOf(node, 'CollateClause')?.arg)
    case 'BoolExpr':
      return logicOf(node)
    case 'A_Expr':
      return operatorOf(fieldsOf(node, 'A_Expr') ?? {})
    case 'NullTest':
      return nullTestOf(node)
    case 'BooleanTest':
      return booleanTestOf(node)
    case 'CoalesceExpr':
      return coalesceOf(fieldsOf(node, 'CoalesceExpr')?.args ?? [])
    case 'CaseExpr':
      return caseOf(node)
    default:
      return undefined
  }
}

function literalOf(node: Node | undefined): Constant {
  const literal = fieldsOf(node, 'A_Const')
  if (literal?.isnull === true) return null
  if (literal?.boolval !== undefined) return literal.boolval.boolval === true
  if (literal?.ival !== undefined) return literal.ival.ival ?? 0
  if (literal?.fval !== undefined) return Number(literal.fval.fval)
  return literal?.sval === undefined ? undefined : (literal.sval.sval ?? '')
}

const NUMBER_TYPES = new Set(['int2', 'int4', 'int8', 'numeric', 'float4', 'float8'])
const TEXT_TYPES = new Set(['text', 'varchar'])

function castOf(node: Node | undefined): Constant {
  const cast = fieldsOf(node, 'TypeCast')
  const value = constantOf(cast?.arg)
  if (value === undefined || value === null) return value
  const type = textsOf(cast?.typeName?.names).at(-1) ?? ''
  if (type === 'bool') return toBoolean(value)
  if (NUMBER_TYPES.has(type)) return Number.isNaN(Number(value)) ? undefined : Number(value)
  return TEXT_TYPES.has(type) && typeof value === 'string' ? value : undefined
}

function toBoolean(value: Constant): Constant {
  if (typeof value === 'boolean' || value === null || value === undefined) return value
  if (typeof value === 'number') return value !== 0
  const word = value.trim().toLowerCase()
  if (word === '') return undefined
  if (['true', 'yes', '1', 'on'].some((long) => long.startsWith(word) && word !== 'o')) return true
  if (['false', 'no', '0', 'off'].some((long) => long.startsWith(word) && word !== 'o')) return false
  return undefined
}

function logicOf(node: Node | undefined): Constant {
  const { boolop, args = [] } = fieldsOf(node, 'BoolExpr') ?? {}
  const values = args.map((arg) => toBoolean(constantOf(arg)))
  if (boolop === 'NOT_EXPR') return typeof values[0] === 'boolean' ? !values[0] : values[0]
  const decisive = boolop === 'OR_EXPR'
  if (values.includes(decisive)) return decisive
  if (hasComplement(args)) return decisive
  if (values.includes(undefined)) return undefined
  return values.includes(null) ? null : !decisive
}

const OPPOSITE: Readonly<Record<string, string>> = { '=': '<>', '<>': '=', '<': '>=', '>=': '<', '>': '<=', '<=': '>' }

/** `a IS NULL OR a IS NOT NULL`, `a = 1 OR a <> 1`, `a OR NOT a`: one of the two holds for every row, NULL operands aside. */
function hasComplement(args: readonly Node[]): boolean {
  const stated = new Set(args.map(spelled))
  return args.some((arg) => oppositesOf(arg).some((opposite) => stated.has(spelled(opposite))))
}

/** Equal for trees that say the same wherever they stand. */
function spelled(node: unknown): string {
  return JSON.stringify(node, (key, value: unknown) => (key === 'location' ? undefined : value))
}

function oppositesOf(node: Node): readonly Node[] {
  const logic = fieldsOf(node, 'BoolExpr')
  const test = fieldsOf(node, 'NullTest')
  const compared = fieldsOf(node, 'A_Expr')
  const inner = logic?.boolop === 'NOT_EXPR' ? logic.args?.[0] : undefined
  if (inner !== undefined) return [inner]
  if (test !== undefined) {
    return [{ NullTest: { ...test, nulltesttype: test.nulltesttype === 'IS_NULL' ? 'IS_NOT_NULL' : 'IS_NULL' } }]
  }
  const truth = fieldsOf(node, 'BooleanTest')
  if (truth !== undefined) return [{ BooleanTest: { ...truth, booltesttype: oppositeTest(truth.booltesttype) } }]
  const opposite = compared?.kind === 'AEXPR_OP' ? OPPOSITE[textsOf(compared.name).at(-1) ?? ''] : undefined
  return opposite === undefined ? [] : [{ A_Expr: { ...compared, name: [{ String: { sval: opposite } }] } }]
}

/** `IS_TRUE` ↔ `IS_NOT_TRUE`. */
function oppositeTest(test: BoolTestType | undefined): BoolTestType {
  const name = test ?? 'IS_TRUE'
  return (name.startsWith('IS_NOT_') ? name.replace('IS_NOT_', 'IS_') : name.replace('IS_', 'IS_NOT_')) as BoolTestType
}

function nullTestOf(node: Node | undefined): Constant {
  const test = fieldsOf(node, 'NullTest')
  const value = isSystemColumn(test?.arg) ? true : constantOf(test?.arg)
  if (value === undefined) return undefined
  return test?.nulltesttype === 'IS_NULL' ? value === null : value !== null
}

const SYSTEM_COLUMNS = new Set(['ctid', 'tableoid', 'xmin', 'xmax', 'cmin', 'cmax'])

/** Every stored row has them, so they are never NULL. */
function isSystemColumn(node: Node | undefined): boolean {
  return SYSTEM_COLUMNS.has(textOf(fieldsOf(node, 'ColumnRef')?.fields?.at(-1)) ?? '')
}

function booleanTestOf(node: Node | undefined): Constant {
  const test = fieldsOf(node, 'BooleanTest')
  const value = toBoolean(constantOf(test?.arg))
  if (value === undefined) return undefined
  switch (test?.booltesttype) {
    case 'IS_TRUE':
      return value === true
    case 'IS_NOT_TRUE':
      return value !== true
    case 'IS_FALSE':
      return value === false
    case 'IS_NOT_FALSE':
      return value !== false
    case 'IS_UNKNOWN':
      return value === null
    default:
      return value !== null
  }
}

function coalesceOf(args: readonly Node[]): Constant {
  for (const arg of args) {
    const value = constantOf(arg)
    if (value !== null) return value
  }
  return null
}

function caseOf(node: Node | undefined): Constant {
  const { arg, args = [], defresult } = fieldsOf(node, 'CaseExpr') ?? {}
  const results = [...args.map((when) => fieldsOf(when, 'CaseWhen')?.result), defresult].map(constantOf)
  const first = results[0]
  if (first !== undefined && results.every((result) => result === first)) return first
  if (arg !== undefined) return undefined
  for (const when of args) {
    const condition = toBoolean(constantOf(fieldsOf(when, 'CaseWhen')?.expr))
    if (condition === undefined) return undefined
    if (condition === true) return constantOf(fieldsOf(when, 'CaseWhen')?.result)
  }
  return defresult === undefined ? null : constantOf(defresult)
}

const REFLEXIVE = new Set(['=', '<=', '>=', '~~', '@>', '<@'])
const MATCHES_ALL = new Set(['%', '%%'])

function operatorOf(expression: A_Expr): Constant {
  const operator = textsOf(expression.name).at(-1) ?? ''
  const { lexpr, rexpr } = expression
  switch (expression.kind) {
    case 'AEXPR_OP':
      if (lexpr !== undefined && REFLEXIVE.has(operator) && isSameOperand(lexpr, rexpr)) return true
      return compute(operator, lexpr, rexpr)
    case 'AEXPR_OP_ANY':
      return operator === '=' ? isListed(lexpr, fieldsOf(rexpr, 'A_ArrayExpr')?.elements ?? []) || undefined : undefined
    case 'AEXPR_NOT_DISTINCT':
      return isSameOperand(lexpr, rexpr) || compute('=', lexpr, rexpr)
    case 'AEXPR_DISTINCT':
      return compute('<>', lexpr, rexpr)
    case 'AEXPR_LIKE':
      return operator === '~~' ? likeOf(lexpr, rexpr) : undefined
    case 'AEXPR_IN':
      return operator === '=' ? isListed(lexpr, fieldsOf(rexpr, 'List')?.items ?? []) : undefined
    case 'AEXPR_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
      return betweenOf(lexpr, fieldsOf(rexpr, 'List')?.items ?? [])
    default:
      return undefined
  }
}

function isListed(left: Node | undefined, items: readonly Node[]): Constant {
  const found = items.some((item) => isSameOperand(left, item) || compute('=', left, item) === true)
  if (found) return true
  return constantOf(left) === undefined || items.some((item) => constantOf(item) === undefined) ? undefined : false
}

function betweenOf(value: Node | undefined, [low, high]: readonly Node[]): Constant {
  const above = isSameOperand(value, low) || compute('>=', value, low)
  const below = isSameOperand(value, high) || compute('<=', value, high)
  if (above === false || below === false) return false
  return above === true && below === true ? true : undefined
}

function likeOf(left: Node | undefined, right: Node | undefined): Constant {
  const [text, pattern] = [constantOf(left), constantOf(right)]
  if (typeof text !== 'string' || typeof pattern !== 'string') return undefined
  if (text === pattern || MATCHES_ALL.has(pattern)) return true
  return /[%_\\]/.test(pattern) ? undefined : false
}

/** The same expression twice; for columns also `t.a` and `a`. Calls that may differ each time are never the same. */
function isSameOperand(left: Node | undefined, right: Node | undefined): boolean {
  const [one, other] = [withoutCasts(left), withoutCasts(right)]
  const [first, second] = [fieldsOf(one, 'ColumnRef')?.fields, fieldsOf(other, 'ColumnRef')?.fields]
  if (first !== undefined && second !== undefined && (first.length === 1 || second.length === 1)) {
    return isSameTree(first.at(-1), second.at(-1))
  }
  return one !== undefined && isSameTree(one, other) && isSteady(one)
}

/** True when every call in it is a function of pg_catalog that gives the same result for the same row. */
function isSteady(root: unknown): boolean {
  const pending = [root]
  while (pending.length > 0) {
    const value = pending.pop()
    if (typeof value !== 'object' || value === null) continue
    const call = (value as { FuncCall?: FuncCall }).FuncCall
    if (call !== undefined && !STEADY_FUNCTIONS.has(textsOf(call.funcname).at(-1) ?? '')) return false
    if ('SubLink' in value) return false
    for (const child of Object.values(value)) pending.push(child)
  }
  return true
}

function withoutCasts(node: Node | undefined): Node | undefined {
  const inner = fieldsOf(node, 'TypeCast')?.arg ?? fieldsOf(node, 'CollateClause')?.arg
  return inner === undefined || constantOf(inner) !== undefined ? node : withoutCasts(inner)
}

function compute(operator: string, leftNode: Node | undefined, rightNode: Node | undefined): Constant {
  const right = constantOf(rightNode)
  if (leftNode === undefined) return operator === '-' && typeof right === 'number' ? -right : undefined
  const left = constantOf(leftNode)
  if (left === undefined || right === undefined) return undefined
  if (left === null || right === null) return null
  const isNumeric = typeof left === 'number' || typeof right === 'number'
  const [one, other] = isNumeric ? [Number(left), Number(right)] : [left, right]
  if (isNumeric && (Number.isNaN(one) || Number.isNaN(other))) return undefined
  return calculate(operator, one, other)
}

function calculate(operator: string, left: string | number | boolean, right: string | number | boolean): Constant {
  switch (operator) {
    case '=':
      return left === right
    case '<>':
      return left !== right
    case '||':
      return `${left}${right}`
    default:
      return typeof left === 'number' && typeof right === 'number' ? arithmetic(operator, left, right) : undefined
  }
}

function arithmetic(operator: string, left: number, right: number): Constant {
  switch (operator) {
    case '<':
      return left < right
    case '>':
      return left > right
    case '<=':
      return left <= right
    case '>=':
      return left >= right
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    default:
      return undefined
  }
}
