/** The pieces of a text as PostgreSQL's scanner would cut it, without the cost of its token list. */

export interface Piece {
  readonly text: string
  /** UTF-16 units. */
  readonly start: number
  /** Undefined when a quote or comment does not end. */
  readonly end: number | undefined
}

/** After a string, a line end and another quote go on with it in the same mode. */
const GOES_ON =
  "(?:(?:[ \\t\\f\\v]|--[^\\n\\r]*)*[\\n\\r](?:[ \\t\\n\\r\\f\\v]+|--[^\\n\\r]*[\\n\\r])*'(?:[^'\\\\]|''|\\\\[^])*')*"
const WORD_START = 'a-z_\\u0080-\\uffff'

/**
 * Comments to the end of a line and strings come whole; block comments and dollar quotes by their beginning, because they nest
 * or carry a tag; words, numbers; any other character alone.
 */
const PIECE = new RegExp(
  [
    '--[^\\n\\r]*',
    '/\\*',
    `\\$(?:[${WORD_START}][${WORD_START}\\d]*)?\\$`,
    '\\$\\d+',
    `e'(?:[^'\\\\]|''|\\\\[^])*'${GOES_ON}`,
    "(?:u&|[bxn])?'(?:[^']|'')*'",
    '(?:u&)?"(?:[^"]|"")*"',
    `[${WORD_START}][${WORD_START}\\d$]*`,
    `\\d[\\d_.]*(?:[${WORD_START}][${WORD_START}\\d$]*)?`,
    '[^\\s]',
  ].join('|'),
  'giy',
)

/** The pieces from left to right, comments included, up to the first that does not end. */
export function* piecesOf(text: string): Generator<Piece> {
  let at = 0
  while (at < text.length) {
    PIECE.lastIndex = at
    const piece = PIECE.exec(text)?.[0]
    const end = piece === undefined ? at + 1 : endOf(text, piece, at)
    if (piece !== undefined) yield { text: piece, start: at, end }
    if (end === undefined) return
    at = end
  }
}

export function isComment({ text }: Piece): boolean {
  return text.startsWith('--') || text === '/*'
}

const STRING = /^(?:[ebxn]|u&)?'|^\$.*\$$/is

export function isString({ text }: Piece): boolean {
  return STRING.test(text)
}

const NAME = /^(?:(?:u&)?"|[a-z_\u0080-\uffff])/i

/** A quoted name or a bare word, keywords included. */
export function isName(piece: Piece): boolean {
  return NAME.test(piece.text) && !isString(piece)
}

/** The whole of a piece; what does not end goes on to the end of the text. */
export function textOfPiece(text: string, { start, end }: Piece): string {
  return text.slice(start, end)
}

function endOf(text: string, piece: string, at: number): number | undefined {
  if (piece === '/*') return endOfComment(text, at)
  if (piece === "'" || piece === '"') return undefined
  if (!piece.startsWith('$') || !piece.endsWith('$') || piece.length === 1) return at + piece.length
  const close = text.indexOf(piece, at + piece.length)
  return close === -1 ? undefined : close + piece.length
}

/** Comments that nest deeper are written by nobody, and each level costs the parser a look at the rest. */
const MAX_COMMENT_DEPTH = 32

function endOfComment(text: string, at: number): number | undefined {
  const ends = /\/\*|\*\//g
  ends.lastIndex = at
  let depth = 0
  for (let match = ends.exec(text); match !== null; match = ends.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth > MAX_COMMENT_DEPTH) return undefined
    if (depth === 0) return ends.lastIndex
  }
  return undefined
}

/** Operators have at most 63 characters. */
const MAX_SYMBOL_RUN = 256
const LONG_RUN = new RegExp(`[-+*/<>=~!@#%^&|\`?]{${MAX_SYMBOL_RUN}}`)
const SYMBOL = /^[-+*/<>=~!@#%^&|`?]$/

/**
 * True for a text whose operators or comments cost the parser quadratic time: long runs of symbols outside literals, deeply
 * nested comments.
 */
export function isCostlyToScan(text: string): boolean {
  if (!LONG_RUN.test(text)) return false
  let run = 0
  let previousEnd = 0
  for (const { text: piece, start, end } of piecesOf(text)) {
    if (end === undefined) return true
    run = start === previousEnd && SYMBOL.test(piece) ? run + 1 : 0
    if (run >= MAX_SYMBOL_RUN) return true
    previousEnd = end
  }
  return false
}

/** A word or symbol outside brackets, in lower case. */
export interface Word {
  readonly word: string
  readonly start: number
  readonly end: number
}

/** The words outside brackets from left to right; undefined when brackets or quotes do not close. */
export function topLevelWords(text: string): readonly Word[] | undefined {
  const words: Word[] = []
  let depth = 0
  for (const piece of piecesOf(text)) {
    const { text: word, start, end } = piece
    if (end === undefined) return undefined
    if (word === '(' || word === '[') depth += 1
    else if (word === ')' || word === ']') depth -= 1
    else if (depth === 0 && !isComment(piece)) words.push({ word: word.toLowerCase(), start, end })
    if (depth < 0) return undefined
  }
  return depth === 0 ? words : undefined
}
