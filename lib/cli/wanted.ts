/** Which commands the words on the command line need: the one that is named, or all of those that a help lists. Pure. */
import type { CommandEntry } from './frame/index.ts'

/** They may stand anywhere, and take no value. */
const EVERYWHERE = ['--json', '--no-color']
const VERSION = ['-v', '--version']

/** Words that do not say which command it is are the parser's to complain about, with the whole list at hand. */
export function wantedBy(words: readonly string[]): (entry: CommandEntry) => boolean {
  const [first, second] = words.filter((word) => !EVERYWHERE.includes(word))
  if (first !== undefined && VERSION.includes(first)) return () => false
  if (first === undefined || first.startsWith('-')) return () => true
  return ({ path }) => path[0] === first && (path.length === 1 || path[1] === second || !isWord(second))
}

function isWord(text: string | undefined): boolean {
  return text !== undefined && !text.startsWith('-')
}
