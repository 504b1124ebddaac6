/** Reads what `pg_restore --list` prints. Pure. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { DumpListing } from '#lib/ports/index.ts'

/** `; Dumped from database version: 15.18`; `216; 1259 16389 TABLE public users postgres`. */
const HEAD = /^; *([A-Za-z ]+): (.*)$/
const ENTRY = /^\d+; \d+ \d+ (.+)$/

/** Throws NATIVE_TOOL_FAILED for what is no such list. */
export function parseListing(text: string): DumpListing {
  const heads = new Map<string, string>()
  const entries: string[] = []
  for (const line of text.split('\n')) {
    const head = HEAD.exec(line)
    if (head) heads.set(head[1] ?? '', head[2] ?? '')
    const entry = ENTRY.exec(line)
    if (entry) entries.push(entry[1] ?? '')
  }
  const serverVersion = heads.get('Dumped from database version')
  const databaseName = heads.get('dbname')
  if (serverVersion === undefined || databaseName === undefined) {
    throw new BackstopError('NATIVE_TOOL_FAILED', 'pg_restore --list printed no table of contents')
  }
  const tableCount = entries.filter((entry) => entry.startsWith('TABLE DATA ')).length
  return { entryCount: entries.length, tableCount, serverVersion, databaseName }
}
