/** Whether a statement answers with rows. */
import type { Node } from 'libpg-query'
import { type Fields, kindOf } from './tree/node.ts'

const ALWAYS = new Set(['VariableShowStmt', 'ExplainStmt', 'FetchStmt', 'ExecuteStmt'])

/** True for SELECT without INTO, SHOW, EXPLAIN and RETURNING. */
export function returnsRows(node: Node): boolean {
  const kind = kindOf(node) ?? ''
  const fields = (node as unknown as Record<string, Fields>)[kind] ?? {}
  if (kind === 'SelectStmt') return fields['intoClause'] === undefined
  return ALWAYS.has(kind) || fields['returningClause'] !== undefined
}
