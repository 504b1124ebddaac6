/** Tones as terminal colours, and text that cannot play tricks on a terminal. */
import type { Cell, Surface, Tone } from './model.ts'

const CODES: Readonly<Record<Exclude<Tone, 'plain'>, readonly [number, number]>> = {
  good: [32, 39],
  warning: [33, 39],
  bad: [31, 39],
  muted: [2, 22],
  strong: [1, 22],
}

/** Colours are on at a terminal only, and off with --no-color, NO_COLOR or TERM=dumb. Source: no-color.org */
export function isColourWanted(
  isTty: boolean,
  isAllowed: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const { NO_COLOR: noColour, TERM: terminal } = environment
  return isTty && isAllowed && (noColour === undefined || noColour === '') && terminal !== 'dumb'
}

export function paint(text: string, tone: Tone, surface: Surface): string {
  if (tone === 'plain' || !surface.isColoured) return text
  const [on, off] = CODES[tone]
  return `\u001b[${on}m${text}\u001b[${off}m`
}

export function asCell(value: string | Cell): Cell {
  return typeof value === 'string' ? { text: value, tone: 'plain' } : value
}

/** Control characters, invisible characters and those that turn the direction of text; line feed and tab stay. */
const HOSTILE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Statements and names come from strangers: what a terminal would obey or hide is written out. */
export function harmless(text: string): string {
  return text.replaceAll(HOSTILE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

/** The same on one line. */
export function oneLine(text: string): string {
  return harmless(text.replaceAll(/\s+/g, ' ').trim())
}

/** At most so many characters, with a mark where something is missing. */
export function shorten(text: string, length: number): string {
  const characters = [...text]
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`
}
