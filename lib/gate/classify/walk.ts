/** A raw parse tree, node by node: every kind is either understood or raises `unknown-node`. */
import type {
  A_Expr,
  A_Indirection,
  ColumnRef,
  CurrentOfExpr,
  FuncCall,
  Node,
  RangeTableSample,
  RangeVar,
  SortBy,
  TypeName,
} from 'libpg-query'
import { noteColumnRef } from './columns.ts'
import { addTarget, raise, raiseAlways, type Walk } from './facts.ts'
import { CATALOG_OPERATORS, CATALOG_TYPES } from './functions/catalog-types.ts'
import { noteFunction } from './functions/judge-function.ts'
import type { FunctionUse } from './model.ts'
import { FIELDS, type Fields, kindOf, nameFrom, relationOf, textsOf } from './tree/node.ts'

type Visitor = (fields: never, walk: Walk) => void

/** Kinds that are read with more knowledge than "look at the children"; statements add theirs. */
const visitors = new Map<string, Visitor>()

/** Make a kind known to the walk. Called while modules load, once per kind. */
export function onKind<F>(kind: string, visitor: (fields: F, walk: Walk) => void): void {
  visitors.set(kind, visitor as Visitor)
}

export function visit(node: Node | undefined, walk: Walk): void {
  const kind = kindOf(node)
  if (kind !== undefined) visitKind(kind, (node as unknown as Record<string, Fields>)[kind] as Fields, walk)
}

export function visitAll(nodes: readonly Node[] | undefined, walk: Walk): void {
  if (nodes !== undefined) for (const node of nodes) visit(node, walk)
}

export function visitKind(kind: string, fields: Fields, walk: Walk): void {
  const visitor = visitors.get(kind)
  if (visitor === undefined) visitChildren(kind, fields, walk)
  else visitor(fields as never, walk)
}

const NOTHING: ReadonlySet<string> = new Set()

/** Walk into every child of a node except the named fields. */
export function visitChildren(kind: string, fields: Fields, walk: Walk, except: ReadonlySet<string> = NOTHING): void {
  const known = FIELDS.get(kind)
  if (known === undefined) {
    raiseUnknown(kind, walk)
    return
  }
  for (const name in fields) {
    const child = known.get(name)
    if (child === '' || except.has(name)) continue
    const value = fields[name]
    if (child === undefined) raiseUnknown(`${kind}.${name}`, walk)
    else if (child !== '*') visitKind(child, value as Fields, walk)
    else if (Array.isArray(value)) visitAll(value, walk)
    else visit(value as Node, walk)
  }
}

export function raiseUnknown(what: string, walk: Walk): void {
  raiseAlways(walk, 'unknown-node', 'CRITICAL', `the parse tree holds ${what}, which is not understood`)
}

const callVisitors = new Map<string, (call: FuncCall, walk: Walk) => void>()

/** Make the arguments of a function known to the walk, by its name in any schema. Called while modules load. */
export function onCall(name: string, visitor: (call: FuncCall, walk: Walk) => void): void {
  callVisitors.set(name, visitor)
}

/** Note a call as it is written and walk into its arguments. */
export function visitCall(call: FuncCall, form: FunctionUse['form'], walk: Walk): void {
  const name = nameFrom(textsOf(call.funcname))
  noteFunction({ ...name, argumentCount: call.args?.length ?? 0, form }, walk)
  callVisitors.get(name.name)?.(call, walk)
  visitChildren('FuncCall', call as Fields, walk, CALL_NAMES)
}

const CALL_NAMES = new Set(['funcname'])

function noteOperator(parts: readonly Node[] | undefined, walk: Walk): void {
  const name = nameFrom(textsOf(parts))
  const isPlain = name.schema === undefined || name.schema === 'pg_catalog'
  if (!isPlain || !CATALOG_OPERATORS.has(name.name)) walk.facts.qualifiedOperators.push(name)
}

const SYMBOL_KINDS = new Set(['AEXPR_OP', 'AEXPR_OP_ANY', 'AEXPR_OP_ALL'])

onKind<FuncCall>('FuncCall', (call, walk) => visitCall(call, 'call', walk))
onKind<ColumnRef>('ColumnRef', (ref, walk) => noteColumnRef(ref, walk))
onKind<RangeVar>('RangeVar', (range, walk) =>
  addTarget(walk, relationOf(range), 'read', { isOnly: range.inh !== true }),
)
onKind<A_Expr>('A_Expr', (expression, walk) => {
  const isSymbol = SYMBOL_KINDS.has(expression.kind ?? 'AEXPR_OP')
  if (isSymbol || (expression.name?.length ?? 0) > 1) noteOperator(expression.name, walk)
  visit(expression.lexpr, walk)
  visit(expression.rexpr, walk)
})
onKind<A_Indirection>('A_Indirection', (indirection, walk) => {
  for (const name of textsOf(indirection.indirection)) walk.facts.attributes.add(name)
  visitChildren('A_Indirection', indirection as Fields, walk)
})
onKind<TypeName>('TypeName', (type, walk) => {
  const name = nameFrom(textsOf(type.names))
  const isCatalog = name.schema === 'pg_catalog' || (name.schema === undefined && CATALOG_TYPES.has(name.name))
  if (!isCatalog) walk.facts.types.push(name)
  visitAll(type.typmods, walk)
})
onKind<SortBy>('SortBy', (sort, walk) => {
  if (sort.useOp !== undefined) noteOperator(sort.useOp, walk)
  visit(sort.node, walk)
})
onKind<RangeTableSample>('RangeTableSample', (sample, walk) => {
  const method = nameFrom(textsOf(sample.method))
  if (!BUILT_IN_SAMPLING.has(method.name)) {
    noteFunction({ ...method, argumentCount: sample.args?.length ?? 0, form: 'from' }, walk)
  }
  visitAll(sample.args, walk)
  visit(sample.repeatable, walk)
})
onKind<CurrentOfExpr>('CurrentOfExpr', (_expression, walk) => {
  raise(walk, 'cursor-position', 'HIGH', 'WHERE CURRENT OF needs a cursor, and no cursor outlives a statement here')
})

const BUILT_IN_SAMPLING = new Set(['system', 'bernoulli'])
