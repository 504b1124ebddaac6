/** One page of live records: as many of DynamoDB's pages as it takes to have one, for expired items count as read there. */
import type { QueryCommandInput, QueryCommandOutput } from '@aws-sdk/client-dynamodb'
import type { RecordPage, RecordQuery } from '#lib/ports/index.ts'
import type { Item } from './item.ts'
import { decodeItem } from './item.ts'
import { encodeNext, encodeQuery } from './query.ts'
import { isInRange, planSortRange } from './sort-range.ts'

/** A page may be empty and go on; after this many reads it does. */
const READS_PER_PAGE = 16

type Read = (input: QueryCommandInput) => Promise<Pick<QueryCommandOutput, 'Items' | 'LastEvaluatedKey'>>

/** Throws CURSOR_INVALID, and what `read` throws. */
export async function readPage(
  read: Read,
  query: RecordQuery,
  { table, nowS }: { readonly table: string; readonly nowS: number },
): Promise<RecordPage> {
  let input = encodeQuery(query, table, nowS)
  if (input === undefined) return { records: [] }
  let last: Item | undefined
  for (let reads = 0; reads < READS_PER_PAGE; reads++) {
    const answer: Awaited<ReturnType<Read>> = await read(input)
    last = answer.LastEvaluatedKey
    const records = (answer.Items ?? []).filter((item) => isMeant(query, item)).map(decodeItem)
    if (last === undefined) return { records }
    if (records.length > 0) return { records, cursor: encodeNext(query, last) }
    input = { ...input, ExclusiveStartKey: last }
  }
  return { records: [], cursor: encodeNext(query, last as Item) }
}

/** The range that DynamoDB was asked for may hold one key too many. */
function isMeant(query: RecordQuery, item: Item): boolean {
  const range = planSortRange(query)
  return range !== undefined && isInRange(item[query.index === undefined ? 'sk' : `${query.index}sk`]?.S ?? '', range)
}
