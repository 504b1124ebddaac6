/** Functions that run a query given as text: a literal is read like any other SQL, anything else is not known. */
import type { FuncCall, Node } from 'libpg-query'
import { raiseAlways, type Walk } from '../facts.ts'
import { visitSqlText } from '../sql-text.ts'
import { fieldsOf, kindOf } from '../tree/node.ts'
import { onCall } from '../walk.ts'

/** The pivots of the extension tablefunc: STABLE, and their queries run as reads. */
const TEXT_QUERIES = ['crosstab', 'crosstab2', 'crosstab3', 'crosstab4', 'crosstabn']

/** Called, not imported for its effect alone: a bundler may drop such an import. */
export function registerTextQueries(): void {
  for (const name of TEXT_QUERIES) onCall(name, visitQueries)
}

function visitQueries(call: FuncCall, walk: Walk): void {
  for (const arg of call.args ?? []) {
    const literal = fieldsOf(arg, 'A_Const')
    if (literal?.sval !== undefined) visitSqlText(literal.sval.sval ?? '', walk)
    else if (!isNumber(arg)) {
      raiseAlways(walk, 'hidden-sql', 'CRITICAL', 'a function runs a query that is only known when it runs')
    }
  }
}

function isNumber(arg: Node): boolean {
  return kindOf(arg) === 'A_Const' && fieldsOf(arg, 'A_Const')?.ival !== undefined
}
