/** How deeply a text can nest, from its tokens alone, before anything recursive reads it. */
import type { ScanToken } from 'libpg-query'

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
/** Token names that add no level. */
const FLAT = new Set(['IDENT', 'UIDENT', 'ICONST', 'FCONST', 'SCONST', 'USCONST', 'BCONST', 'XCONST', 'PARAM'])
const COMMENTS = new Set(['SQL_COMMENT', 'C_COMMENT'])

interface Level {
  readonly openedBy: string
  operators: number
  chained: number
}

/**
 * An upper bound of the levels that a parse tree of these tokens has.
 *
 * Why:        a tree so deep that the parser runs out of stack breaks it for the rest of the process, so the depth has to be
 *             known before it parses
 * Invariants: brackets, CASE, operators and keywords count; commas, AND and OR end a chain of operators because the grammar
 *             keeps their operands side by side; joins and set operations count until their bracket closes
 * Effects:    pure
 */
export function nestingOf(tokens: readonly ScanToken[]): number {
  const levels: Level[] = [{ openedBy: '', operators: 0, chained: 0 }]
  let total = 0
  let deepest = 0
  for (const { tokenName, text } of tokens) {
    if (FLAT.has(tokenName) || COMMENTS.has(tokenName)) continue
    const word = text.toLowerCase()
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
    } else if (word !== '.') {
      level.operators += 1
      total += 1
    }
    if (total > deepest) deepest = total
  }
  return deepest
}

const BLOCK_WORDS = new Set(['begin', 'if', 'elsif', 'elseif', 'loop', 'case', 'declare'])

/** An upper bound of the nested blocks of a PL/pgSQL body: every word that may open one counts. */
export function blocksOf(tokens: readonly ScanToken[]): number {
  return tokens.filter(({ text }) => BLOCK_WORDS.has(text.toLowerCase())).length
}
