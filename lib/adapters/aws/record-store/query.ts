/** A query of the port as one of DynamoDB's, and its answer as a page. */
import type { QueryCommandInput } from '@aws-sdk/client-dynamodb'
import { BackstopError } from '#lib/kernel/index.ts'
import type { RecordQuery } from '#lib/ports/index.ts'
import { assertRecordKey, DEFAULT_PAGE_LIMIT, decodeCursor, encodeCursor } from '#lib/ports/index.ts'
import type { Item } from './item.ts'
import type { SortRange } from './sort-range.ts'
import { isInRange, planSortRange } from './sort-range.ts'

/** Ready to be sent; undefined when no key can match. Throws CURSOR_INVALID. */
export function encodeQuery(query: RecordQuery, table: string, nowS: number): QueryCommandInput | undefined {
  const range = planSortRange(query)
  const start = query.cursor === undefined ? undefined : decodeStart(query, query.cursor, range)
  if (range === undefined) return undefined
  const names = keyNames(query)
  const sort = sortCondition(range)
  return {
    TableName: table,
    ...(query.index !== undefined && { IndexName: query.index }),
    KeyConditionExpression: `#partition = :partition${sort.text}`,
    FilterExpression: 'attribute_not_exists(expiresAtS) OR expiresAtS > :now',
    ExpressionAttributeNames: { '#partition': names.partition, ...(sort.text !== '' && { '#sort': names.sort }) },
    ExpressionAttributeValues: {
      ':partition': { S: query.partition },
      ':now': { N: String(nowS) },
      ...sort.values,
    },
    ScanIndexForward: query.descending !== true,
    ConsistentRead: query.index === undefined,
    Limit: query.limit ?? DEFAULT_PAGE_LIMIT,
    ...(start && { ExclusiveStartKey: start }),
  }
}

/** The cursor for what follows the item with these keys. */
export function encodeNext(query: RecordQuery, last: Item): string {
  return encodeCursor(
    listingOf(query),
    orderNames(query).map((name) => last[name]?.S ?? ''),
  )
}

function keyNames({ index }: RecordQuery) {
  return index === undefined ? { partition: 'pk', sort: 'sk' } : { partition: `${index}pk`, sort: `${index}sk` }
}

/** The order's attributes: the sort key, and behind an index the record's own key. */
function orderNames(query: RecordQuery): readonly string[] {
  return query.index === undefined ? ['sk'] : [`${query.index}sk`, 'pk', 'sk']
}

/** What a cursor is bound to; the page limit may change on the way. */
function listingOf({ partition, index, sortFrom, sortTo, sortPrefix, descending }: RecordQuery) {
  return [partition, index, sortFrom, sortTo, sortPrefix, descending === true]
}

/** DynamoDB refuses a start outside the query's range with an error that looks like a bug; here it is a bad cursor. */
function decodeStart(query: RecordQuery, cursor: string, range: SortRange | undefined): Item {
  const names = orderNames(query)
  const position = decodeCursor(listingOf(query), cursor, names.length)
  const sort = position[0] ?? ''
  if (range === undefined || !isInRange(sort, range) || !areKeys(query, position)) {
    throw new BackstopError('CURSOR_INVALID', 'the cursor lies outside this query')
  }
  const start: Item = { [keyNames(query).partition]: { S: query.partition } }
  for (const [n, name] of names.entries()) start[name] = { S: position[n] ?? '' }
  return start
}

function areKeys(query: RecordQuery, [sort = '', ...own]: readonly string[]): boolean {
  try {
    assertRecordKey({ partition: query.partition, sort })
    if (query.index !== undefined) assertRecordKey({ partition: own[0] ?? '', sort: own[1] ?? '' })
    return true
  } catch {
    return false
  }
}

/** DynamoDB takes one condition on the sort key. */
function sortCondition({ from, to }: SortRange): { text: string; values: Item } {
  if (from !== undefined && to !== undefined) {
    return { text: ' AND #sort BETWEEN :from AND :to', values: { ':from': { S: from }, ':to': { S: to } } }
  }
  if (from !== undefined) return { text: ' AND #sort >= :from', values: { ':from': { S: from } } }
  if (to !== undefined) return { text: ' AND #sort <= :to', values: { ':to': { S: to } } }
  return { text: '', values: {} }
}
