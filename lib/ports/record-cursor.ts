/** Cursors: a position in one query's order, opaque to callers and good for that query alone. */
import { BackstopError, sha256Hex } from '#lib/kernel/index.ts'
import type { RecordQuery } from './record-store.ts'

const MAX_CURSOR_CHARACTERS = 8_192

/** Everything that fixes the order and the range; the page limit may change on the way. */
function queryMark(query: RecordQuery): string {
  const parts = [
    query.partition,
    query.index,
    query.sortFrom,
    query.sortTo,
    query.sortPrefix,
    query.descending === true,
  ]
  return sha256Hex(JSON.stringify(parts.map((part) => part ?? null))).slice(0, 16)
}

/** `position` holds the sort key (and what breaks ties) of the last record that was returned. */
export function encodeRecordCursor(query: RecordQuery, position: readonly string[]): string {
  return Buffer.from(JSON.stringify([queryMark(query), ...position])).toString('base64url')
}

/** Throws CURSOR_INVALID unless the cursor came from this query. */
export function decodeRecordCursor(query: RecordQuery, positionLength: number): readonly string[] | undefined {
  if (query.cursor === undefined) return undefined
  const parts = parseCursor(query.cursor)
  if (parts?.length !== positionLength + 1 || parts[0] !== queryMark(query)) {
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
