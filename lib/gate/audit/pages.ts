/** Every record of a query, page after page, and work in small groups: the event loop turns in between. */
import type { RecordQuery, RecordStore, StoredRecord } from '#lib/ports/index.ts'

const PAGE_LIMIT = 100
const GROUP_SIZE = 25

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

export async function* readPages(
  records: RecordStore,
  query: Omit<RecordQuery, 'cursor'>,
): AsyncGenerator<StoredRecord, void> {
  let cursor: string | undefined
  do {
    const page = await records.query({ limit: PAGE_LIMIT, ...query, ...(cursor !== undefined && { cursor }) })
    yield* page.records
    cursor = page.cursor
    if (cursor !== undefined) await nextTurn()
  } while (cursor !== undefined)
}

/** One group after the other; within a group all at once. Results in the order of the items. */
export async function mapInGroups<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const group of groupsOf(items)) {
    results.push(...(await Promise.all(group.map(work))))
    await nextTurn()
  }
  return results
}

export function groupsOf<T>(items: readonly T[], size = GROUP_SIZE): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size))
}
