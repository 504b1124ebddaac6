/** Whether a statement answers with rows. */
import type { Node, SelectStmt } from 'libpg-query'
import { type Fields, kindOf } from './tree/node.ts'

const ALWAYS = new Set(['VariableShowStmt', 'ExplainStmt', 'FetchStmt', 'ExecuteStmt'])

/** True for SELECT without INTO, SHOW, EXPLAIN and RETURNING. */
export function returnsRows(node: Node): boolean {
  const kind = kindOf(node) ?? ''
  const fields = (node as unknown as Record<string, Fields>)[kind] ?? {}
  if (kind === 'SelectStmt') return !isIntoTable(fields as SelectStmt)
  return ALWAYS.has(kind) || fields['returningClause'] !== undefined
}

/** INTO stands in the leftmost part of a set operation. */
export function isIntoTable(select: SelectStmt): boolean {
  let leftmost: SelectStmt | undefined = select
  while (leftmost?.larg !== undefined) leftmost = leftmost.larg
  return leftmost?.intoClause !== undefined
}
