/** Characters that make an approver read something else than what runs. */
import { isComment, isString, type Piece, piecesOf, textOfPiece } from './pieces.ts'

/**
 * Control characters but tab, line feed, form feed and carriage return; soft hyphen; zero-width, filler, bidirectional and
 * tag characters; variation selectors; line and paragraph separators.
 */
const HIDDEN_RANGES =
  '\\u{1}-\\u{8}\\u{b}\\u{e}-\\u{1f}\\u{7f}-\\u{9f}\\u{ad}\\u{34f}\\u{61c}\\u{115f}\\u{1160}\\u{17b4}\\u{17b5}\\u{180b}-\\u{180f}' +
  '\\u{200b}-\\u{200f}\\u{2028}-\\u{202e}\\u{2060}-\\u{206f}\\u{3164}\\u{fe00}-\\u{fe0f}\\u{feff}\\u{ffa0}\\u{fff0}-\\u{fffb}' +
  '\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}'
const HIDDEN = new RegExp(`[${HIDDEN_RANGES}]`, 'u')
/** Controls that a screen obeys: an approver's terminal would run them, in a literal too. */
const CONTROL_RANGES = '\\u{1}-\\u{8}\\u{b}\\u{e}-\\u{1f}\\u{7f}-\\u{9f}'
const CONTROL = new RegExp(`[${CONTROL_RANGES}]`, 'u')
/** A carriage return alone ends a line for the parser and overwrites it on a screen. */
const BARE_RETURN = /\r(?!\n)/g
/** Spaces that the parser takes for letters of a name. */
const FALSE_SPACE = /[\u{a0}\u{1680}\u{2000}-\u{200a}\u{202f}\u{205f}\u{3000}]/u
/** Emoji are drawn with joiners and selectors; in a comment they mislead nobody. */
const EMOJI = /\p{Extended_Pictographic}(?:\u{fe0f}|\u{200d}|\p{Extended_Pictographic}|\p{Emoji_Modifier})*/gu
/** Controls that turn the direction of the text around them, even from within a literal. */
const TURNING = /[\u{202a}-\u{202e}\u{2066}-\u{2069}]/u

/** Quick look: false means that the text needs no closer one. */
export function mayHide(text: string): boolean {
  return HIDDEN.test(text) || FALSE_SPACE.test(text) || text.includes('\r')
}

/** True when something hidden stands outside string literals, in names and comments included, or a control character anywhere. */
export function hasHidden(text: string): boolean {
  if (CONTROL.test(text)) return true
  let returns = countReturns(text)
  for (const piece of piecesOf(text)) {
    const whole = textOfPiece(text, piece)
    if (isString(piece)) returns -= countReturns(whole)
    else if (isHiding(piece, whole)) return true
  }
  return returns > 0
}

/** True when a literal holds a control that turns the direction of the text after it. */
export function hasTurningLiteral(text: string): boolean {
  if (!TURNING.test(text)) return false
  for (const piece of piecesOf(text)) if (isString(piece) && TURNING.test(textOfPiece(text, piece))) return true
  return false
}

function countReturns(text: string): number {
  return text.match(BARE_RETURN)?.length ?? 0
}

function isHiding(piece: Piece, whole: string): boolean {
  if (isComment(piece)) return HIDDEN.test(whole.replaceAll(EMOJI, ''))
  return HIDDEN.test(whole) || (FALSE_SPACE.test(whole) && !whole.startsWith('"'))
}
