/** Expands the placeholders of generated statements, so that long texts and unseen characters stay readable in a file. */

/**
 * Expand placeholders.
 *
 * Shapes:  {{char HEX}} one character by code point · {{repeat N TEXT}} TEXT N times, TEXT may hold {{char HEX}} ·
 *          {{fill N TEXT}} TEXT, of one byte, as often as makes the whole statement N bytes long; at most one
 * Throws:  Error at a placeholder of any other form
 */
export function expandGenerated(template: string): string {
  const withCharacters = template.replace(/\{\{char ([0-9A-F]{1,6})\}\}/g, (_, hex: string) => character(hex))
  const repeated = withCharacters.replace(/\{\{repeat (\d+) ((?:(?!\}\}).)+)\}\}/gs, (_, count: string, text: string) =>
    text.repeat(Number(count)),
  )
  const filled = fill(repeated)
  const left = /\{\{(?:char|repeat|fill)[^}]*\}\}/.exec(filled)
  if (left !== null) throw new Error(`placeholder ${left[0]} is not understood`)
  return filled
}

function character(hex: string): string {
  return String.fromCodePoint(Number.parseInt(hex, 16))
}

function fill(text: string): string {
  const match = /\{\{fill (\d+) (.)\}\}/s.exec(text)
  if (match?.[1] === undefined || match[2] === undefined) return text
  const restBytes = Buffer.byteLength(text) - Buffer.byteLength(match[0])
  const count = Number(match[1]) - restBytes
  if (count < 0) throw new Error(`the text around ${match[0]} is longer than that`)
  const body = match[2].repeat(count)
  return text.slice(0, match.index) + body + text.slice(match.index + match[0].length)
}
