/** Reads of the record table: one record by its key, and pages of a partition by key or by index. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { JsonObject } from '#lib/kernel/index.ts'
import type { RecordKey, RecordPage, RecordQuery, StoredRecord } from '#lib/ports/index.ts'
import { DEFAULT_PAGE_LIMIT, decodeCursor, encodeCursor } from '#lib/ports/index.ts'

/** A page stops after this much text, as DynamoDB's does. */
const MAX_PAGE_CHARACTERS = 1_000_000

const LIVE = '(expires_at_s IS NULL OR expires_at_s > ?)'

interface Row {
  readonly partition: string
  readonly sort: string
  readonly version: number
  readonly body: string
  readonly expires_at_s: number | null
  readonly index1_partition: string | null
  readonly index1_sort: string | null
  readonly index2_partition: string | null
  readonly index2_sort: string | null
}

export class RecordReader {
  readonly #database: DatabaseSync
  readonly #find: StatementSync
  readonly #pages = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#find = database.prepare(`SELECT * FROM record WHERE partition = ? AND sort = ? AND ${LIVE}`)
  }

  find(key: RecordKey, nowS: number): StoredRecord | undefined {
    const row = this.#find.get(key.partition, key.sort, nowS)
    return row === undefined ? undefined : decodeRow(row as unknown as Row)
  }

  query(query: RecordQuery, nowS: number): RecordPage {
    const { sql, values } = buildPageQuery(query, nowS)
    const limit = query.limit ?? DEFAULT_PAGE_LIMIT
    const records: StoredRecord[] = []
    let characters = 0
    let last: Row | undefined
    for (const row of this.#statement(sql).iterate(...values, limit + 1) as IterableIterator<unknown>) {
      if (last && (records.length === limit || characters > MAX_PAGE_CHARACTERS)) {
        return { records, cursor: encodeCursor(listingOf(query), positionOf(query, last)) }
      }
      last = row as Row
      characters += last.body.length
      records.push(decodeRow(last))
    }
    return { records }
  }

  #statement(sql: string): StatementSync {
    const known = this.#pages.get(sql)
    if (known) return known
    const statement = this.#database.prepare(sql)
    this.#pages.set(sql, statement)
    return statement
  }
}

/** The order's columns: the sort key, and behind an index the record's own key to break ties. */
function orderColumns(query: RecordQuery): readonly string[] {
  return query.index === undefined ? ['sort'] : [`${query.index}_sort`, 'partition', 'sort']
}

/** What a cursor is bound to; the page limit may change on the way. */
function listingOf({ partition, index, sortFrom, sortTo, sortPrefix, descending }: RecordQuery) {
  return [partition, index, sortFrom, sortTo, sortPrefix, descending === true]
}

function positionOf(query: RecordQuery, row: Row): readonly string[] {
  return orderColumns(query).map((column) => row[column as keyof Row] as string)
}

function buildPageQuery(query: RecordQuery, nowS: number): { sql: string; values: SQLInputValue[] } {
  const columns = orderColumns(query)
  const sort = columns[0]
  const conditions = [`${query.index === undefined ? 'partition' : `${query.index}_partition`} = ?`]
  const values: SQLInputValue[] = [query.partition]
  const add = (condition: string, ...bound: SQLInputValue[]) => {
    conditions.push(condition)
    values.push(...bound)
  }
  if (query.sortFrom !== undefined) add(`${sort} >= ?`, query.sortFrom)
  if (query.sortTo !== undefined) add(`${sort} <= ?`, query.sortTo)
  if (query.sortPrefix !== undefined) {
    add(`${sort} >= ?`, query.sortPrefix)
    add(`${sort} < CAST(? AS TEXT)`, pastPrefix(query.sortPrefix))
  }
  if (query.cursor !== undefined) {
    const position = decodeCursor(listingOf(query), query.cursor, columns.length)
    const compare = query.descending ? '<' : '>'
    add(`(${columns.join(', ')}) ${compare} (${columns.map(() => '?').join(', ')})`, ...position)
  }
  add(LIVE, nowS)
  const order = columns.map((column) => `${column} ${query.descending ? 'DESC' : 'ASC'}`).join(', ')
  return { sql: `SELECT * FROM record WHERE ${conditions.join(' AND ')} ORDER BY ${order} LIMIT ?`, values }
}

/** The byte 0xFF is in no UTF-8 text, so this lies behind everything that begins with the prefix. */
function pastPrefix(prefix: string): Uint8Array {
  return Buffer.concat([Buffer.from(prefix), Buffer.from([0xff])])
}

function decodeRow(row: Row): StoredRecord {
  const indexes = decodeIndexes(row)
  return {
    key: { partition: row.partition, sort: row.sort },
    version: row.version,
    body: JSON.parse(row.body) as JsonObject,
    ...(indexes && { indexes }),
    ...(row.expires_at_s !== null && { expiresAtS: row.expires_at_s }),
  }
}

function decodeIndexes(row: Row): StoredRecord['indexes'] | undefined {
  if (row.index1_partition === null && row.index2_partition === null) return undefined
  return {
    ...(row.index1_partition !== null && {
      index1: { partition: row.index1_partition, sort: row.index1_sort as string },
    }),
    ...(row.index2_partition !== null && {
      index2: { partition: row.index2_partition, sort: row.index2_sort as string },
    }),
  }
}
