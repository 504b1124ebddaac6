/** The FROM clause: what each item lets later clauses name, and what it reads. */
import type {
  JoinExpr,
  Node,
  RangeFunction,
  RangeSubselect,
  RangeTableFunc,
  RangeTableSample,
  RangeVar,
} from 'libpg-query'
import { addColumn, addTarget, type Walk } from '../facts.ts'
import type { WrittenName } from '../model.ts'
import { besideScope, innerScope, isCte, type Range, rangeOfTable } from '../scope.ts'
import { type Fields, fieldsOf, kindOf, relationOf, textsOf } from '../tree/node.ts'
import { visit, visitAll, visitCall, visitChildren, visitKind } from '../walk.ts'

const ALIAS = new Set(['alias'])

/** Read a FROM list from left to right; each item sees the ones before it. */
export function visitFrom(items: readonly Node[] | undefined, walk: Walk): void {
  for (const item of items ?? []) visitFromItem(item, walk)
}

/** Read one item, add its ranges to the walk's scope, and return them. */
export function visitFromItem(item: Node | undefined, walk: Walk): readonly Range[] {
  const kind = kindOf(item)
  if (item === undefined || kind === undefined) return []
  const fields = (item as unknown as Record<string, Fields>)[kind] as Fields
  switch (kind) {
    case 'RangeVar':
      return visitTable(fields as RangeVar, walk)
    case 'JoinExpr':
      return visitJoin(fields as JoinExpr, walk)
    case 'RangeSubselect':
      return visitSubselect(fields as RangeSubselect, walk)
    case 'RangeFunction':
      return visitRangeFunction(fields as RangeFunction, walk)
    case 'RangeTableSample': {
      const ranges = visitFromItem((fields as RangeTableSample).relation, walk)
      visitKind(kind, fields, walk)
      return ranges
    }
    default:
      visitChildren(kind, fields, walk, ALIAS)
      return add(walk, derived((fields as RangeTableFunc).alias?.aliasname))
  }
}

function visitTable(table: RangeVar, walk: Walk): readonly Range[] {
  if (isCte(walk.scope, table)) return add(walk, derived(table.alias?.aliasname ?? table.relname))
  addTarget(walk, relationOf(table), 'read', { isOnly: table.inh !== true })
  const range = rangeOfTable(table)
  if (table.alias?.colnames !== undefined) addColumn(walk, '*', 'read', relationOf(table))
  return add(walk, range)
}

function visitSubselect(item: RangeSubselect, walk: Walk): readonly Range[] {
  const scope = item.lateral === true ? innerScope(walk.scope) : besideScope(walk.scope)
  visit(item.subquery, { ...walk, scope })
  return add(walk, derived(item.alias?.aliasname))
}

function visitRangeFunction(item: RangeFunction, walk: Walk): readonly Range[] {
  for (const entry of item.functions ?? []) {
    for (const part of fieldsOf(entry, 'List')?.items ?? []) {
      const call = fieldsOf(part, 'FuncCall')
      if (call === undefined) visit(part, walk)
      else visitCall(call, 'from', walk)
    }
  }
  visitAll(item.coldeflist, walk)
  return add(walk, derived(item.alias?.aliasname))
}

function visitJoin(join: JoinExpr, walk: Walk): readonly Range[] {
  const ranges = [...visitFromItem(join.larg, walk), ...visitFromItem(join.rarg, walk)]
  const relations = ranges.flatMap((range) => range.relations)
  const merged = join.isNatural === true ? ['*'] : textsOf(join.usingClause)
  for (const name of merged) for (const relation of relations) addColumn(walk, name, 'read', relation)
  visit(join.quals, walk)
  const alias = join.alias?.aliasname
  if (join.join_using_alias?.aliasname !== undefined) add(walk, hidden(join.join_using_alias.aliasname, relations))
  return alias === undefined ? ranges : add(walk, hidden(alias, relations))
}

function derived(alias: string | undefined): Range {
  return { alias: alias ?? '', relations: [] }
}

function hidden(alias: string, relations: readonly WrittenName[]): Range {
  return { alias, relations, isQualifiedOnly: true }
}

function add(walk: Walk, range: Range): readonly Range[] {
  walk.scope.ranges.push(range)
  return [range]
}
