/** Names that read like other names: letters of another script that are drawn like Latin ones. */
import { isName, piecesOf } from './pieces.ts'

/** Cyrillic, Greek, Armenian and Latin extended letters that common fonts draw like a Latin letter. */
const DRAWN_LIKE_LATIN = 'аеорсухіјѕһԁԛԝѵӏкАВЕЗІЈКМНОРСТУХЅԌԜ' + 'ονρκαιυγτΑΒΕΖΗΙΚΜΝΟΡΤΥΧϳ' + 'օսհոցքԼՏՕ' + 'ıɑɡǃǀ'
const LIKE_LATIN = new Set(DRAWN_LIKE_LATIN)
const SEPARATORS = /[\s_\d$."-]+/u

/** `mixed`: Latin letters and look-alikes in one word. `whole`: a word of look-alikes only, which may be honest. */
export type Lookalike = 'none' | 'whole' | 'mixed'

/**
 * The worst of the names in a text.
 *
 * Invariants: words are split at `_`, digits and spaces, so that `id_заказа` is honest; a word with one letter that no Latin
 *             letter looks like is honest; compatibility forms of Latin letters (full width, mathematical) count as mixed
 */
export function lookalikeOf(text: string): Lookalike {
  let worst: Lookalike = 'none'
  for (const piece of piecesOf(text)) {
    if (!isName(piece)) continue
    for (const word of piece.text.split(SEPARATORS)) {
      const judged = judgeWord(word)
      if (judged === 'mixed') return 'mixed'
      if (judged === 'whole') worst = 'whole'
    }
  }
  return worst
}

const ASCII_WORD = /^[ -~]*$/

function judgeWord(word: string): Lookalike {
  if (ASCII_WORD.test(word)) return 'none'
  if (ASCII_WORD.test(word.normalize('NFKC'))) return 'mixed'
  const letters = [...word]
  const foreign = letters.filter((letter) => !ASCII_WORD.test(letter))
  if (!foreign.every((letter) => LIKE_LATIN.has(letter))) return 'none'
  return foreign.length < letters.length ? 'mixed' : letters.length > 1 ? 'whole' : 'none'
}

/** True when a name is written with escapes, so that its letters cannot be read: `U&"\0061"`. */
export function hasEscapedName(text: string): boolean {
  for (const piece of piecesOf(text)) if (/^u&"/i.test(piece.text)) return true
  return false
}
