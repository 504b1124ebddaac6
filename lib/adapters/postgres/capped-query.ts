/** A foreign statement over the extended protocol, in one round trip, with a cap on rows and bytes. */
import pg from 'pg'
import type { JsonValue } from '#lib/kernel/index.ts'
import type { CappedOptions, CappedResult } from '#lib/ports/index.ts'
import { JSON_TYPES } from './values.ts'

interface WireConnection {
  execute(message: { portal: string; rows: number }): void
  sync(): void
}

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

/** Run `sql` on the driver's client; rejects with the driver's error. */
export function runCappedQuery(client: pg.ClientBase, sql: string, options: CappedOptions): Promise<CappedResult> {
  return new Promise((resolve, reject) => {
    const query: CappedQuery = new CappedQuery(sql, options, (error, result) => {
      if (error !== null || result === undefined) reject(error)
      else resolve(resultOf(query, result, options.maxRows))
    })
    client.query(query as unknown as pg.Submittable)
  })
}
