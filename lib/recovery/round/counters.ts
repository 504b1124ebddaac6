/** The server's own counters of changed rows: a sign that a table was written to, and never one that it was not. */
import type { Database } from '#lib/ports/index.ts'

/** Rows inserted, updated and deleted since the statistics were reset. */
export const COUNTERS_OF = (oid: string) =>
  `concat_ws('/', pg_stat_get_tuples_inserted(${oid}), pg_stat_get_tuples_updated(${oid}), pg_stat_get_tuples_deleted(${oid}))`

const FORM = /^\d+\/\d+\/\d+$/

/**
 * True: rows were written since. False: nothing can be said.
 *
 * Effects: pure
 */
export function hasWrites(before: string | undefined, now: string | undefined): boolean {
  if (before === undefined || now === undefined || !FORM.test(before) || !FORM.test(now)) return false
  const pairs = before.split('/').map((count, index) => [BigInt(count), BigInt(now.split('/')[index] ?? 0)] as const)
  // One that went back shows that they were reset.
  if (pairs.some(([from, to]) => to < from)) return false
  return pairs.some(([from, to]) => to > from)
}

/** Undefined where they cannot be read: then there is no sign, and the table is compared. */
export async function readCounters(database: Database, oid: number): Promise<string | undefined> {
  try {
    return await database.withSession(async (session) => {
      const [row] = await session.query<{ counters: string }>(`SELECT ${COUNTERS_OF('$1::oid')} AS counters`, [oid])
      return row?.counters
    })
  } catch {
    return undefined
  }
}
