/** Object keys as paths below the root, and back: one way each, so that no two keys share a file and none leaves the root. */
import { join } from 'node:path'

/**
 * How names are kept apart. `exact`: as they are, where the file system tells `A` from `a`.
 * `folded`: upper-case and non-ASCII characters escaped too, where it does not.
 */
export type NameStyle = 'exact' | 'folded'

/** A folder whose name ends in this holds the rest of a segment that is too long for one name. */
const CONTINUATION = '%+'
const MAX_NAME_BYTES = 200

/** The escape character, what some file systems refuse in a name, a leading dot, and a trailing dot or space. */
const ESCAPED_EXACT = /[%<>:"\\|?*]|^\.|[. ]$/gu
const ESCAPED_FOLDED = /[%<>:"\\|?*A-Z]|[^\0-\x7f]|^\.|[. ]$/gu

function escapeCharacter(character: string): string {
  return Array.from(Buffer.from(character), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
}

/** Pieces of at most MAX_NAME_BYTES that end between characters and between escapes. */
function splitName(name: string): string[] {
  const pieces: string[] = []
  let piece = ''
  for (const unit of name.match(/%[c-f][0-9a-f](?:%[89ab][0-9a-f])+|%[0-9a-f]{2}|./gsu) ?? []) {
    if (Buffer.byteLength(piece) + Buffer.byteLength(unit) > MAX_NAME_BYTES) {
      pieces.push(piece)
      piece = ''
    }
    piece += unit
  }
  return [...pieces, piece].map((part) => part.replace(/^\./, '%2e'))
}

function encodeSegment(segment: string, style: NameStyle): string {
  const name = segment.replace(style === 'exact' ? ESCAPED_EXACT : ESCAPED_FOLDED, escapeCharacter)
  if (name.length * 3 <= MAX_NAME_BYTES) return name
  const pieces = splitName(name)
  return pieces.map((piece, position) => (position < pieces.length - 1 ? piece + CONTINUATION : piece)).join('/')
}

/** A path relative to the root, for a valid key or for the whole segments of a prefix. */
export function encodeKey(key: string, style: NameStyle): string {
  return join(...key.split('/').map((segment) => encodeSegment(segment, style)))
}

export interface DecodedName {
  readonly text: string
  /** True: the segment goes on inside this folder. */
  readonly isContinued: boolean
}

/** Undefined for a name that no key has, such as the store's own hidden files. */
export function decodeName(name: string): DecodedName | undefined {
  const isContinued = name.endsWith(CONTINUATION)
  const body = isContinued ? name.slice(0, -CONTINUATION.length) : name
  if (body === '' || body.startsWith('.')) return undefined
  try {
    return { text: decodeURIComponent(body), isContinued }
  } catch {
    return undefined
  }
}
