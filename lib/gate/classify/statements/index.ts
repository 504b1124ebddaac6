/** The statement table: every kind of statement of the grammar with its decision, and how a statement is judged by it. */
import type { Node } from 'libpg-query'
import { isAtLeast } from '#lib/kernel/index.ts'
import { type Fate, needTransaction, noteLoss, raise, type Walk } from '../facts.ts'
import { registerTextQueries } from '../functions/text-queries.ts'
import { type Fields, kindOf } from '../tree/node.ts'
import { onKind, raiseUnknown, visitChildren } from '../walk.ts'
import { ACCESS_STATEMENTS } from './access.ts'
import { ALTER_OBJECT_STATEMENTS } from './alter-object.ts'
import { ALTER_TABLE_STATEMENTS } from './alter-table.ts'
import { CREATE_STATEMENTS } from './create.ts'
import { DATA_STATEMENTS } from './data.ts'
import { DROP_STATEMENTS } from './drop.ts'
import type { StatementEntry } from './entry.ts'
import { WRAPPING_STATEMENTS } from './explain-copy.ts'
import { MAINTAIN_STATEMENTS } from './maintain.ts'
import { ROUTINE_STATEMENTS } from './routine.ts'
import { SERVER_STATEMENTS } from './server.ts'
import { SESSION_STATEMENTS } from './session.ts'

const FAMILIES = {
  ...DATA_STATEMENTS,
  ...WRAPPING_STATEMENTS,
  ...DROP_STATEMENTS,
  ...ALTER_TABLE_STATEMENTS,
  ...ALTER_OBJECT_STATEMENTS,
  ...CREATE_STATEMENTS,
  ...ROUTINE_STATEMENTS,
  ...ACCESS_STATEMENTS,
  ...SERVER_STATEMENTS,
  ...MAINTAIN_STATEMENTS,
  ...SESSION_STATEMENTS,
}

/** By node kind. `judge` and `walk` get the fields of exactly that kind. */
export const STATEMENTS: ReadonlyMap<string, StatementEntry> = new Map(
  Object.entries(FAMILIES as unknown as Record<string, StatementEntry>),
)

registerTextQueries()

for (const [kind, entry] of STATEMENTS) {
  const owned = new Set(entry.owned ?? [])
  onKind<Fields>(kind, (fields, walk) => visitStatement(kind, entry, owned, fields, walk))
}

/** Judge a statement by its entry, then walk into it. Operations come in the order of the text, the outer one first. */
function visitStatement(
  kind: string,
  entry: StatementEntry,
  owned: ReadonlySet<string>,
  fields: Fields,
  walk: Walk,
): void {
  const judged = entry.judge?.(fields as never, walk)
  const operation = judged?.operation ?? entry.operation
  noteOperation(operation, walk)
  const level = judged?.level ?? entry.level
  if (isAtLeast(level, 'LOW'))
    raise(walk, judged?.code ?? entry.code, level, describe(operation, judged?.message ?? entry.message))
  needTransaction(walk, judged?.transaction ?? entry.transaction)
  noteLoss(walk, judged?.recoverability ?? entry.recoverability)
  if (entry.walk === undefined) visitChildren(kind, fields, walk, owned)
  else entry.walk(fields as never, walk)
}

/** A SELECT inside another statement is no operation of its own, and what is only planned is none either. */
function noteOperation(operation: string, walk: Walk): void {
  const { operations } = walk.facts
  const isPart = operations.length > 0 && operations.at(-1) !== 'EXPLAIN ANALYZE'
  if (walk.fate === 'planned' || (isPart && operation === 'SELECT')) return
  operations.push(operation)
}

function describe(operation: string, message: string): string {
  return message.startsWith(operation) ? message : `${operation}: ${message}`
}

/** Judge the root of a text; anything but a statement is unknown. */
export function visitRoot(node: Node, walk: Walk, fate: Fate = 'executed'): void {
  const kind = kindOf(node) ?? 'nothing'
  const entry = STATEMENTS.get(kind)
  if (entry === undefined) {
    raiseUnknown(kind, walk)
    return
  }
  const fields = (node as unknown as Record<string, Fields>)[kind] as Fields
  visitStatement(kind, entry, new Set(entry.owned ?? []), fields, { ...walk, fate })
}
