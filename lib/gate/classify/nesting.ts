/** How deeply a text can nest, before anything recursive reads it. */
import { piecesOf } from './pieces.ts'

/** Texts shorter than this cannot nest deeper than the limit: every level costs at least a byte. */
export const SHALLOW_TEXT_LENGTH = 1_000
/** Most levels that are handed to the parser; its stack holds several times as many. */
export const MAX_TEXT_NESTING = 1_000
/** Most blocks of a PL/pgSQL body that are handed to its parser. */
export const MAX_BODY_BLOCKS = 400

const OPENING = new Set(['(', '[', 'case'])
const CLOSING = new Map([
  [')', '('],
  [']', '['],
  ['end', 'case'],
])
/** Constructs that nest to the left over commas: each one adds a level until its bracket closes. */
const CHAINED = new Set(['join', 'union', 'intersect', 'except'])
/** What ends a chain of operators at its level. */
const ENDS_CHAIN = new Set([',', 'and', 'or', ';'])
/** Operators that are words. */
const OPERATOR_WORDS = new Set(
  'not collate at is isnull notnull like ilike similar between in operator overlaps any some all escape'.split(' '),
)
const SYMBOL = /^[-+*/<>=~!@#%^&|`?:]$/

interface Level {
  readonly openedBy: string
  operators: number
  chained: number
}

/**
 * An upper bound of the levels that the parse tree of a text has; undefined when a quote or comment does not end.
 *
 * Why:        a tree so deep that the parser runs out of stack breaks it for the rest of the process, so the depth has to be
 *             known before it parses
 * Invariants: brackets, CASE and operators count; commas, AND and OR end a chain of operators because the grammar keeps
 *             their operands side by side; joins and set operations count until their bracket closes
 * Effects:    pure
 */
export function nestingOf(text: string): number | undefined {
  const levels: Level[] = [{ openedBy: '', operators: 0, chained: 0 }]
  let total = 0
  let deepest = 0
  for (const piece of piecesOf(text)) {
    if (piece.end === undefined) return undefined
    const word = piece.text.length > 9 ? '' : piece.text.toLowerCase()
    const level = levels.at(-1) as Level
    if (OPENING.has(word)) {
      levels.push({ openedBy: word, operators: 0, chained: 0 })
      total += 1
    } else if (level.openedBy !== '' && CLOSING.get(word) === level.openedBy) {
      levels.pop()
      total -= 1 + level.operators + level.chained
    } else if (ENDS_CHAIN.has(word)) {
      total -= level.operators
      level.operators = 0
    } else if (CHAINED.has(word)) {
      level.chained += 1
      total += 1
    } else if (SYMBOL.test(word) || OPERATOR_WORDS.has(word)) {
      level.operators += 1
      total += 1
    }
    if (total > deepest) deepest = total
  }
  return deepest
}

const BLOCK_WORDS = new Set(['begin', 'if', 'elsif', 'elseif', 'loop', 'case', 'declare'])

/** An upper bound of the nested blocks of a PL/pgSQL body: every word that may open one counts. */
export function blocksOf(text: string): number {
  let blocks = 0
  for (const piece of piecesOf(text)) if (BLOCK_WORDS.has(piece.text.toLowerCase())) blocks += 1
  return blocks
}
