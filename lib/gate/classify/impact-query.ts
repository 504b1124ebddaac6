/** The rows that an UPDATE or DELETE would reach, as a SELECT with the same predicate. */
import type { DeleteStmt, Node, RangeVar, SelectStmt, UpdateStmt, WithClause } from 'libpg-query'
import { quoteIdentifier } from '#lib/kernel/index.ts'
import type { ImpactShape } from './model.ts'
import { parseText } from './parser.ts'
import { topLevelWords, type Word } from './pieces.ts'
import { isOptionOn } from './statements/maintain.ts'
import { fieldsOf, kindOf, relationOf } from './tree/node.ts'
import { isSameTree } from './tree/same.ts'

/** A write by the parts that decide which rows it reaches. */
interface Write {
  readonly verb: 'update' | 'delete'
  readonly target: RangeVar
  readonly others: readonly Node[] | undefined
  readonly where: Node | undefined
  readonly with: WithClause | undefined
}

interface Clauses {
  readonly prefix: string
  readonly target: string
  readonly others: string | undefined
  readonly where: string | undefined
}

/**
 * Build the query that yields one row per row that the write would reach.
 *
 * Shapes:     the text and tree of one statement → the table and a complete SELECT without LIMIT; parameters stay `$n`
 * Invariants: the SELECT is parsed again and its WITH, table, joined items and predicate are the same trees as the
 *             write's; whatever cannot be shown to be the same has no query
 * Effects:    pure
 */
export function buildImpactQuery(text: string, root: Node): (ImpactShape & { readonly tree: Node }) | undefined {
  const write = writeOf(root)
  if (write === undefined || kindOf(write.where) === 'CurrentOfExpr' || hasWritingCte(write.with)) return undefined
  const words = topLevelWords(text)
  const clauses = words === undefined ? undefined : cut(text, words, write)
  if (clauses === undefined) return undefined
  const unused = text.includes('$') ? unusedParameters(write, root) : []
  const rowsQuery = queryOf(clauses, unused.length === 0 ? '1' : unused.join(', '))
  const tree = treeOf(rowsQuery)
  if (tree === undefined || !isSameReach(tree, write)) return undefined
  // Another list in front of what was compared.
  const placesQuery = queryOf(clauses, [...placeOf(write.target), ...unused].join(', '))
  return { target: relationOf(write.target), rowsQuery, placesQuery, tree }
}

function placeOf({ alias, relname = '' }: RangeVar): readonly string[] {
  const name = quoteIdentifier(alias?.aliasname ?? relname)
  return [`${name}.tableoid::text`, `${name}.ctid::text`]
}

/** PostgreSQL wants to know the type of every parameter up to the last one, so those that the predicate lacks are text. */
function unusedParameters({ others, where, with: clause }: Write, root: Node): readonly string[] {
  const used = parametersIn([others, where, clause])
  const last = Math.max(0, ...parametersIn(root))
  const missing = Array.from({ length: last }, (_, at) => at + 1).filter((number) => !used.has(number))
  return missing.map((number) => `$${number}::text`)
}

function parametersIn(tree: unknown): ReadonlySet<number> {
  const numbers = new Set<number>()
  const pending: unknown[] = [tree]
  while (pending.length > 0) {
    const value = pending.pop()
    if (typeof value !== 'object' || value === null) continue
    const parameter = (value as { ParamRef?: { number?: number } }).ParamRef
    if (parameter !== undefined) numbers.add(parameter.number ?? 0)
    for (const child of Object.values(value)) pending.push(child)
  }
  return numbers
}

function writeOf(root: Node): Write | undefined {
  const explain = fieldsOf(root, 'ExplainStmt')
  if (explain !== undefined) {
    const isRun = explain.query !== undefined && isOptionOn(explain.options, 'analyze')
    return isRun && kindOf(explain.query) !== 'ExplainStmt' ? writeOf(explain.query as Node) : undefined
  }
  const update = fieldsOf(root, 'UpdateStmt')
  if (update !== undefined) return describe('update', update, update.fromClause)
  const deletion = fieldsOf(root, 'DeleteStmt')
  return deletion === undefined ? undefined : describe('delete', deletion, deletion.usingClause)
}

function describe(
  verb: Write['verb'],
  statement: UpdateStmt | DeleteStmt,
  others: Node[] | undefined,
): Write | undefined {
  const { relation, whereClause, withClause } = statement
  return relation === undefined ? undefined : { verb, target: relation, others, where: whereClause, with: withClause }
}

function hasWritingCte(clause: WithClause | undefined): boolean {
  return (clause?.ctes ?? []).some((node) => kindOf(fieldsOf(node, 'CommonTableExpr')?.ctequery) !== 'SelectStmt')
}

/** Cut the text at the words that begin the clauses; a wrong cut is found when the query is compared. */
function cut(text: string, words: readonly Word[], write: Write): Clauses | undefined {
  const verb = words.findIndex((word, at) => word.word === write.verb && isVerb(words, at, write.verb))
  const start = write.verb === 'delete' ? verb + 1 : verb
  const rest = words.slice(start + 1)
  const find = (name: string, from = 0): Word | undefined =>
    rest.find((word) => word.word === name && word.start >= from)
  const set = write.verb === 'update' ? find('set') : undefined
  const where = write.where === undefined ? undefined : rest.findLast(({ word }) => word === 'where')
  const others = write.others === undefined ? undefined : othersWord(rest, write.verb, set?.end ?? 0)
  const end = find('returning', where?.end ?? others?.end ?? 0) ?? find(';') ?? { start: text.length }
  const opening = words[start]
  if (verb === -1 || opening === undefined || (write.verb === 'update' && set === undefined)) return undefined
  const withWord = write.with === undefined ? undefined : words.find(({ word }) => word === 'with')
  return {
    prefix: withWord === undefined ? '' : text.slice(withWord.start, words[verb]?.start),
    target: text.slice(opening.end, (set ?? others ?? where ?? end).start),
    others: others === undefined ? undefined : text.slice(others.end, (where ?? end).start),
    where: where === undefined ? undefined : text.slice(where.end, end.start),
  }
}

/** A CTE may be called `update` or `delete`; then AS or a column list follows. */
function isVerb(words: readonly Word[], at: number, verb: Write['verb']): boolean {
  const next = words[at + 1]?.word
  return verb === 'delete' ? next === 'from' : next !== 'as'
}

/** FROM or USING; the FROM of `IS DISTINCT FROM` in a SET clause begins nothing. */
function othersWord(words: readonly Word[], verb: Write['verb'], from: number): Word | undefined {
  if (verb === 'delete') return words.find(({ word }) => word === 'using')
  return words.find(({ word, start }, at) => word === 'from' && start >= from && words[at - 1]?.word !== 'distinct')
}

/** A cut piece may end in a line comment, so each one ends its line. */
function queryOf({ prefix, target, others, where }: Clauses, list: string): string {
  const condition = where === undefined ? '' : `\nWHERE ${where.trim()}`
  if (others === undefined) return `${prefix.trim()}\nSELECT ${list} FROM ${target.trim()}${condition}`.trim()
  return `${prefix.trim()}\nSELECT ${list} FROM ${target.trim()}\nWHERE EXISTS (SELECT 1 FROM ${others.trim()}${condition}\n)`.trim()
}

function treeOf(rowsQuery: string): Node | undefined {
  const parsed = parseText(rowsQuery)
  return parsed.ok && parsed.statements.length === 1 ? parsed.statements[0]?.node : undefined
}

function isSameReach(tree: Node, write: Write): boolean {
  const select = fieldsOf(tree, 'SelectStmt')
  if (select === undefined || !isPlain(select)) return false
  const [target, more] = select.fromClause ?? []
  if (more !== undefined || !isSameTree(fieldsOf(target, 'RangeVar'), write.target)) return false
  if (!isSameTree(select.withClause, write.with)) return false
  if (write.others === undefined) return isSameTree(select.whereClause, write.where)
  const inner = fieldsOf(fieldsOf(select.whereClause, 'SubLink')?.subselect, 'SelectStmt')
  if (inner === undefined || !isPlain(inner)) return false
  return isSameTree(inner.fromClause, write.others) && isSameTree(inner.whereClause, write.where)
}

const PLAIN = new Set(['targetList', 'fromClause', 'whereClause', 'withClause', 'limitOption', 'op'])

/** Nothing but a list, FROM, WHERE and WITH: no grouping, limit, lock or set operation has slipped in. */
function isPlain(select: SelectStmt): boolean {
  return Object.keys(select).every((key) => PLAIN.has(key))
}
