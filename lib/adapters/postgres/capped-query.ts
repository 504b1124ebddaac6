/** A foreign statement over the extended protocol, in one round trip, with a cap on rows and bytes. */
import type { Socket } from 'node:net'
import pg from 'pg'
import { BackstopError, type JsonValue } from '#lib/kernel/index.ts'
import type { CappedOptions, CappedResult } from '#lib/ports/index.ts'
import { JSON_TYPES } from './values.ts'

interface WireConnection {
  execute(message: { portal: string; rows: number }): void
  sync(): void
}

/** The driver holds a row until it is complete, whatever its size. */
const MAX_ROW_BYTES = 32 << 20

interface DriverResult {
  readonly command: string | null
  readonly rowCount: number | null
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number; readonly tableID: number }[]
  readonly rows: JsonValue[][]
}

type Settle = (error: Error | null, result?: DriverResult) => void

/** The members of the driver's query that this one replaces; its typings leave them out. */
const DriverQuery = pg.Query as unknown as new (
  config: object,
) => {
  handleDataRow(message: { length: number }): void
  handleCommandComplete(message: { text: string }, connection: WireConnection): void
}

/**
 * Parse, bind, describe, execute with a row limit and sync are sent together: the server accepts exactly one statement,
 * stops at the limit, and closes the portal with the transaction.
 */
class CappedQuery extends DriverQuery {
  readonly #limitRows: number
  readonly #maxBytes: number
  #receivedBytes = 0
  /** Rows that have come complete. */
  rowCount = 0
  truncated: 'rows' | 'bytes' | undefined
  tag = ''

  constructor(sql: string, options: CappedOptions, settle: Settle) {
    const values = (options.parameters ?? []).map((value) => (typeof value === 'number' ? String(value) : value))
    super({ text: sql, values, queryMode: 'extended', rowMode: 'array', types: JSON_TYPES, callback: settle })
    this.#limitRows = options.maxRows
    this.#maxBytes = options.maxBytes
  }

  // One row more than wanted: only then is it known that something was left out.
  _getRows(connection: WireConnection): void {
    connection.execute({ portal: '', rows: this.#limitRows + 1 })
    connection.sync()
  }

  handlePortalSuspended(): void {
    this.truncated ??= 'rows'
  }

  override handleCommandComplete(message: { text: string }, connection: WireConnection): void {
    this.tag = message.text
    super.handleCommandComplete(message, connection)
  }

  override handleDataRow(message: { length: number }): void {
    this.rowCount += 1
    this.#receivedBytes += message.length
    if (this.#receivedBytes > this.#maxBytes) this.truncated = 'bytes'
    else super.handleDataRow(message)
  }
}

/** `INSERT 0 5` → 5, `SELECT 3` → 3, `CREATE TABLE` → undefined. */
function rowCountOfTag(tag: string): number | undefined {
  const last = tag.split(' ').at(-1) ?? ''
  return /^\d+$/.test(last) ? Number(last) : undefined
}

function resultOf(query: CappedQuery, driver: DriverResult, maxRows: number): CappedResult {
  const isCutOff = query.truncated !== undefined || driver.rows.length > maxRows
  const rowCount = isCutOff ? undefined : rowCountOfTag(query.tag)
  return {
    command: query.tag.replace(/[ \d]+$/, ''),
    columns: driver.fields.map((field) => ({ name: field.name, typeOid: field.dataTypeID, tableOid: field.tableID })),
    rows: driver.rows.slice(0, maxRows),
    ...(rowCount === undefined ? {} : { rowCount }),
    ...(isCutOff ? { truncated: query.truncated ?? 'rows' } : {}),
  }
}

/** Cut the connection when one row grows past all bounds: nothing less stops the server from sending it. */
function watchRows(client: pg.ClientBase, query: CappedQuery): () => void {
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
  let rowCount = 0
  let bytesBefore = stream.bytesRead
  const watch = () => {
    if (rowCount !== query.rowCount) {
      rowCount = query.rowCount
      bytesBefore = stream.bytesRead
    }
    if (stream.bytesRead - bytesBefore <= MAX_ROW_BYTES) return
    const message = `One row has more than ${MAX_ROW_BYTES >> 20} MiB; it was not fetched. Select a part of its values.`
    stream.destroy(new BackstopError('EXECUTION_FAILED', message))
  }
  stream.on('data', watch)
  return () => stream.off('data', watch)
}

/** Run `sql` on the driver's client; rejects with the driver's error, or EXECUTION_FAILED for a row that is too large. */
export function runCappedQuery(client: pg.ClientBase, sql: string, options: CappedOptions): Promise<CappedResult> {
  return new Promise((resolve, reject) => {
    const query: CappedQuery = new CappedQuery(sql, options, (error, result) => {
      stopWatching()
      if (error !== null || result === undefined) reject(error)
      else resolve(resultOf(query, result, options.maxRows))
    })
    const stopWatching = watchRows(client, query)
    client.query(query as unknown as pg.Submittable)
  })
}
