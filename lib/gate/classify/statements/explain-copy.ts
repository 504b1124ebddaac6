/** EXPLAIN and COPY: statements around a statement. */
import type { CopyStmt, ExplainStmt } from 'libpg-query'
import { noteWritten } from '../columns.ts'
import { addColumn, addTarget, raise, type Walk } from '../facts.ts'
import { type Fields, kindOf, relationOf, textsOf } from '../tree/node.ts'
import { visit, visitChildren } from '../walk.ts'
import { inTable } from './create.ts'
import { entry, type Judgement } from './entry.ts'
import { isOptionOn } from './maintain.ts'

export const WRAPPING_STATEMENTS = {
  ExplainStmt: entry<ExplainStmt>('SAFE', 'EXPLAIN', 'shows a plan', {
    targets: 'those of the statement; only read when it is not run',
    details:
      'ANALYZE runs the statement: operation EXPLAIN ANALYZE and the level of the statement; `ANALYZE false` does not',
    judge: ({ query, options }): Judgement | undefined => {
      if (kindOf(query) === 'ExecuteStmt') {
        return { level: 'CRITICAL', code: 'execute', message: 'the statement is not shown here', transaction: 'never' }
      }
      return isOptionOn(options, 'analyze') ? { operation: 'EXPLAIN ANALYZE' } : undefined
    },
    walk: ({ query, options }, walk) =>
      visit(query, isOptionOn(options, 'analyze') ? walk : { ...walk, fate: 'planned' }),
  }),
  CopyStmt: entry<CopyStmt>('SAFE', 'COPY', 'sends rows to the caller', {
    targets: 'the table as `read` or `copy-in`; those of the query',
    details: 'FROM STDIN is HIGH and has no data to read here; files and programs of the server are CRITICAL',
    judge: judgeCopy,
    walk: visitCopy,
  }),
}

function judgeCopy(copy: CopyStmt): Judgement {
  const isFrom = copy.is_from === true
  const operation = isFrom ? 'COPY FROM' : 'COPY TO'
  if (copy.is_program === true) {
    const message = `${operation} PROGRAM runs a program on the server`
    return {
      operation: `${operation} PROGRAM`,
      level: 'CRITICAL',
      code: 'copy-program',
      message,
      ...write,
      recoverability: 'impossible',
    }
  }
  if (copy.filename !== undefined) {
    const message = isFrom
      ? `${operation} reads a file of the server, whatever it holds`
      : `${operation} overwrites a file of the server`
    return {
      operation,
      level: 'CRITICAL',
      code: 'copy-server-file',
      message,
      ...write,
      ...(isFrom ? {} : { recoverability: 'impossible' }),
    }
  }
  if (!isFrom) return { operation }
  const message = 'COPY FROM STDIN needs a stream of data that a request does not carry: use INSERT'
  return { operation, level: 'HIGH', code: 'copy-from-stdin', message, transaction: 'never' }
}

const write = { transaction: 'write' } as const
const READ_HERE = new Set(['relation', 'query', 'attlist'])

function visitCopy(copy: CopyStmt, walk: Walk): void {
  const table = copy.relation
  const names = textsOf(copy.attlist)
  if (table !== undefined) {
    addTarget(walk, relationOf(table), copy.is_from === true ? 'copy-in' : 'read')
    if (copy.is_from === true) noteWritten(names, table, walk)
    else for (const name of names.length === 0 ? ['*'] : names) addColumn(walk, name, 'read', relationOf(table))
  }
  const kind = kindOf(copy.query)
  if (kind !== undefined && kind !== 'SelectStmt')
    raise(walk, 'copy-of-a-write', 'LOW', 'COPY runs a statement that writes')
  visit(copy.query, walk)
  visitChildren('CopyStmt', copy as Fields, inTable(table, walk), READ_HERE)
}
