/** Cursors: a position in one listing's order, opaque to callers and good for that listing alone. */
import type { JsonValue } from '#lib/kernel/index.ts'
import { BackstopError, jsonDigest } from '#lib/kernel/index.ts'

const MAX_CURSOR_CHARACTERS = 8_192

/** Ties the cursor to everything that fixes the listing's order and range. */
function markOf(listing: readonly (JsonValue | undefined)[]): string {
  return jsonDigest(listing.map((part) => part ?? null)).slice(0, 16)
}

/** `position` says where the last page ended: a sort key and what breaks ties. */
export function encodeCursor(listing: readonly (JsonValue | undefined)[], position: readonly string[]): string {
  return Buffer.from(JSON.stringify([markOf(listing), ...position])).toString('base64url')
}

/** The position, `length` strings long. Throws CURSOR_INVALID unless the cursor came from this listing. */
export function decodeCursor(
  listing: readonly (JsonValue | undefined)[],
  cursor: string,
  length: number,
): readonly string[] {
  const parts = parseCursor(cursor)
  if (parts?.length !== length + 1 || parts[0] !== markOf(listing)) {
    throw new BackstopError('CURSOR_INVALID', 'the cursor does not belong to this query')
  }
  return parts.slice(1)
}

function parseCursor(cursor: string): readonly string[] | undefined {
  if (typeof cursor !== 'string' || cursor.length > MAX_CURSOR_CHARACTERS || !/^[\w-]+$/.test(cursor)) return undefined
  const bytes = Buffer.from(cursor, 'base64url')
  if (bytes.toString('base64url') !== cursor) return undefined
  try {
    const parts: unknown = JSON.parse(bytes.toString())
    return Array.isArray(parts) && parts.every((part) => typeof part === 'string') ? parts : undefined
  } catch {
    return undefined
  }
}
