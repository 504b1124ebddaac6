/** A PL/pgSQL body as its parser gives it: each of its queries and expressions is SQL that is walked like any other. */

import { noteLoss, raise, raiseAlways, type Walk } from './facts.ts'
import { visitSqlText } from './sql-text.ts'

/** Everything in a body that is understood; the rest raises. */
const KNOWN = new Set([
  'PLpgSQL_function',
  'PLpgSQL_var',
  'PLpgSQL_rec',
  'PLpgSQL_row',
  'PLpgSQL_recfield',
  'PLpgSQL_type',
  'PLpgSQL_expr',
  'PLpgSQL_stmt_block',
  'PLpgSQL_stmt_assign',
  'PLpgSQL_stmt_if',
  'PLpgSQL_if_elsif',
  'PLpgSQL_stmt_case',
  'PLpgSQL_case_when',
  'PLpgSQL_stmt_loop',
  'PLpgSQL_stmt_while',
  'PLpgSQL_stmt_fori',
  'PLpgSQL_stmt_fors',
  'PLpgSQL_stmt_forc',
  'PLpgSQL_stmt_dynfors',
  'PLpgSQL_stmt_foreach_a',
  'PLpgSQL_stmt_exit',
  'PLpgSQL_stmt_return',
  'PLpgSQL_stmt_return_next',
  'PLpgSQL_stmt_return_query',
  'PLpgSQL_stmt_raise',
  'PLpgSQL_raise_option',
  'PLpgSQL_stmt_assert',
  'PLpgSQL_stmt_execsql',
  'PLpgSQL_stmt_dynexecute',
  'PLpgSQL_stmt_getdiag',
  'PLpgSQL_diag_item',
  'PLpgSQL_stmt_open',
  'PLpgSQL_stmt_fetch',
  'PLpgSQL_stmt_close',
  'PLpgSQL_stmt_perform',
  'PLpgSQL_stmt_call',
  'PLpgSQL_stmt_commit',
  'PLpgSQL_stmt_rollback',
  'PLpgSQL_exception_block',
  'PLpgSQL_exception',
  'PLpgSQL_condition',
])
const DYNAMIC = new Set(['PLpgSQL_stmt_dynexecute', 'PLpgSQL_stmt_dynfors'])

interface Expression {
  readonly query?: string
  readonly parseMode?: number
}

/** Walk a parsed body; statements that build their SQL while they run raise CRITICAL. */
export function visitPlpgsql(parsed: unknown, walk: Walk): void {
  const pending: unknown[] = [parsed]
  while (pending.length > 0) {
    const value = pending.pop()
    if (typeof value !== 'object' || value === null) continue
    for (const [name, child] of Object.entries(value)) {
      if (name === 'PLpgSQL_expr') visitExpression(child as Expression, walk)
      else pending.push(child)
      if (name.startsWith('PLpgSQL_')) noteKind(name, walk)
      else if (name === 'dynquery') noteDynamic(walk)
    }
  }
}

function noteKind(name: string, walk: Walk): void {
  if (!KNOWN.has(name)) raiseAlways(walk, 'unknown-node', 'CRITICAL', `the body holds ${name}, which is not understood`)
  if (DYNAMIC.has(name)) noteDynamic(walk)
  if (name === 'PLpgSQL_stmt_commit' || name === 'PLpgSQL_stmt_rollback') {
    raise(walk, 'transaction-control', 'HIGH', 'the body ends its transaction by itself')
  }
}

function noteDynamic(walk: Walk): void {
  raise(walk, 'dynamic-sql', 'CRITICAL', 'the body builds SQL while it runs: nobody knows beforehand what it does')
  noteLoss(walk, 'impossible')
}

/** RAW_PARSE_DEFAULT: a whole statement; RAW_PARSE_PLPGSQL_EXPR: what may follow SELECT; above: an assignment. */
const STATEMENT_MODE = 0
const EXPRESSION_MODE = 2

function visitExpression({ query = '', parseMode = STATEMENT_MODE }: Expression, walk: Walk): void {
  if (parseMode === STATEMENT_MODE) visitSqlText(query, walk)
  else if (parseMode === EXPRESSION_MODE) visitSqlText(`SELECT ${query}`, walk)
  else visitSqlText(`SELECT ${assigned(query)}`, walk)
}

/** The value of `variable := value` or `variable = value`; subscripts of the variable may hold expressions, so they stay. */
function assigned(query: string): string {
  const at = query.search(/:?=/)
  const subscripts = query.slice(0, at).match(/\[[^\]]*\]/g) ?? []
  const value = query.slice(at).replace(/^:?=/, '')
  return [value, ...subscripts.map((subscript) => subscript.slice(1, -1).split(':').join(', '))].join(', ')
}
